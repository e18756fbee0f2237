"""What the SDK raises, as sentences for the user and as the errors that the runner acts on."""

import json
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from runner.display import one_line
from runner.errors import ProviderError
from runner.providers.base import (
    BareNotFoundError,
    ConnectionLostError,
    FileNotReadyError,
    NotFoundError,
    NotOfferedError,
    OutcomeUnknownError,
    ServerFaultError,
)

# Answers after which the server may have acted: https://datatracker.ietf.org/doc/html/rfc9110#section-15
# 429 counts as unknown because gateways answer it after forwarding.
UNKNOWN_STATUSES = (408, 409, 429)
FIRST_SERVER_FAULT = 500
# Answers that may be other ones a little later.
PASSING_STATUSES = (408, 429)
# How OpenAI and Azure refuse a job whose file they have not looked at yet; nothing was created then.
NOT_READY = ("still being processed", "must point to a completed file import")
# What a host without a route answers, besides 404.
NOT_OFFERED_STATUSES = (405, 501)
# Statuses with which a host may say that it starts no job for this account or of this model.
CLOSED_STATUSES = (400, 403, 404)
# What an SDK call raises; not its own are answers and arguments that it cannot turn into text or a URL.
CALL_ERRORS = (openai.OpenAIError, httpx2.InvalidURL, ValueError)
# The SDK checks no answer: a page of HTML, or JSON of another shape, fails where it is first looked at.
SHAPE_ERRORS = (AttributeError, TypeError, KeyError, IndexError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Words errors for one host; `closing` says since when the host starts no more jobs for some."""

    host: str
    base_url: str
    closing: str = ""

    def refusal(self, error: Exception) -> ProviderError:
        """What became of a request that certainly did nothing, or only read."""
        if isinstance(error, openai.NotFoundError):
            kind = BareNotFoundError if _says_nothing(error) else NotFoundError
            return kind(f"{self.host}: {_message(error) or self.wordless(error)}")
        if isinstance(error, openai.APIStatusError) and error.status_code in NOT_OFFERED_STATUSES:
            return NotOfferedError(f"{self.host} does not offer it: HTTP {error.status_code}: {_said(error)}")
        if isinstance(error, openai.AuthenticationError):
            return ProviderError(f"{self.host} refused the key: {_said(error)}. Check the key's variable.")
        if isinstance(error, openai.APIStatusError):
            said = _message(error)
            answered = f"{self.host} answered HTTP {error.status_code}"
            passes = error.status_code >= FIRST_SERVER_FAULT or error.status_code in PASSING_STATUSES
            sentence = f"{answered}: {said}" if said else f"{self.host}: {self.wordless(error)}"
            return ServerFaultError(sentence) if passes else ProviderError(sentence)
        if isinstance(error, openai.APIConnectionError):
            return self.lost(error.__cause__ or error)
        if isinstance(error, openai.OpenAIError | json.JSONDecodeError):
            return ProviderError(f"{self.host} sent an answer that cannot be read: {one_line(str(error))}")
        reason = one_line(str(error).split("\n")[0], limit=200)
        return ProviderError(f"{self.host} cannot be asked that: {reason}. Check the ID or name.")

    def wordless(self, error: openai.APIStatusError) -> str:
        """What to say of an answer that says nothing itself, as of a proxy or a wrong address."""
        status = f"HTTP {error.status_code} without a message"
        return f"{status}. Check that {self.base_url} is the address of its API."

    def unreadable(self) -> ProviderError:
        """An answer that is no JSON, or of another shape than the API's."""
        return ProviderError(
            f"{self.host} sent an answer that is not of the fine-tuning API's shape. Check that "
            f"{self.base_url} is the address of its API."
        )

    def job_refusal(self, error: Exception) -> ProviderError:
        """Why a job was certainly not created."""
        plain = self.refusal(error)
        if not isinstance(error, openai.APIStatusError):
            return plain
        if any(words in str(error) for words in NOT_READY):
            return FileNotReadyError(str(plain))
        if self.closing and error.status_code in CLOSED_STATUSES:
            return type(plain)(f"{plain}\n{self.closing}")
        return plain

    def uncertainty(self, error: Exception, what: str) -> OutcomeUnknownError | None:
        """Why nobody knows what a create made; None where it certainly made nothing."""
        if isinstance(error, openai.APIStatusError):
            if error.status_code < FIRST_SERVER_FAULT and error.status_code not in UNKNOWN_STATUSES:
                return None
            return self.unconfirmed(what, f"HTTP {error.status_code}: {_said(error)}")
        if isinstance(error, httpx2.InvalidURL | UnicodeEncodeError) or _never_connected(error):
            return None
        return self.unconfirmed(what, str(error))

    def unconfirmed(self, what: str, reason: str) -> OutcomeUnknownError:
        """A create whose answer does not say what it made."""
        return OutcomeUnknownError(
            f"{self.host} did not confirm {what} ({one_line(reason, limit=200)}). It may exist; "
            "the same command looks for it before anything is sent again."
        )

    def lost(self, cause: BaseException) -> ConnectionLostError:
        """A connection that was not made or broke off."""
        return ConnectionLostError(
            f"{self.host} cannot be reached at {self.base_url}: {one_line(str(cause), limit=200)}. "
            "Check the network and repeat the command."
        )


def _message(error: Any) -> str:
    body = error.body if isinstance(getattr(error, "body", None), dict) else {}
    return one_line(str(body.get("message") or ""), limit=500)


def _said(error: Any) -> str:
    return _message(error) or one_line(str(error) or "no message", limit=500)


def _says_nothing(error: openai.APIStatusError) -> bool:
    """Whether a 404 does not speak of an object: OpenAI names it, its code or both."""
    body = error.body if isinstance(error.body, dict) else {}
    message = str(body.get("message") or "").lower()
    return message.startswith("invalid url") or message.strip(" .") in ("", "not found", "resource not found")


def _never_connected(error: Exception) -> bool:
    return isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)
