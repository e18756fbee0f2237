"""Rules about keys and tokens."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

from runner.dataset.checks.conversation import Conversation
from runner.dataset.checks.hits import Values
from runner.dataset.checks.marks import SECRETS
from runner.dataset.checks.mask import masked
from runner.dataset.checks.rule import ExampleRule, Rule, Setup
from runner.dataset.checks.samples import ask

# Formats that nothing but a key has, from their issuers' documentation (2026-11). Every repetition is bounded
# or cannot begin twice in one place, so that no text takes more than linear time.
_FORMATS = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----\s{1,4}"
    r"[A-Za-z0-9+/=:,\-\s]{40}",
    "an AWS access key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20}(?![A-Za-z0-9_-])",
    "a Slack token": r"\bxox[abposr]-(?:\d{8,14}-){1,3}[A-Za-z0-9-]{20,72}",
    "an OpenAI key": r"\bsk-[A-Za-z0-9_-]{20,120}T3BlbkFJ[A-Za-z0-9_-]{20,120}",
    "an Anthropic key": r"\bsk-ant-[a-z]{3,8}\d\d-[A-Za-z0-9_-]{80,120}",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",
    "a Hugging Face token": r"\bhf_[A-Za-z]{34}\b",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{24,120}\b",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a PyPI token": r"\bpypi-AgE[A-Za-z0-9_-]{50,240}",
    "a SendGrid key": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _FORMATS.items()}
# A look at the text that rules out nearly every example.
_MARK = re.compile(
    r"PRIVATE KEY|A[KS]IA|gh[pousr]_|github_pat_|glpat-|xox[abposr]-|T3BlbkFJ|sk-ant-|AIza|hf_|k_live_|npm_"
    r"|pypi-AgE|SG\."
)
# A key of documentation repeats few characters, or says what it is.
_MIN_DISTINCT = 8
_SAMPLE = re.compile(r"example|xxxx|0000|1234567|abcdef", re.IGNORECASE)

# detect-secrets' detectors of one format each. Those that judge entropy or words are left out: in prose they
# find something in every other example.
_DETECTORS = (
    ("artifactory", "ArtifactoryDetector"),
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("basic_auth", "BasicAuthDetector"),
    ("cloudant", "CloudantDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("ibm_cloud_iam", "IbmCloudIamDetector"),
    ("jwt", "JwtTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
    ("twilio", "TwilioKeyDetector"),
)
# Their patterns may take more than linear time; a longer line is cut into pieces that overlap by a key.
_PIECE, _OVERLAP = 2_000, 200


def secret(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT301."""
    if not _MARK.search(conversation.text):
        return
    for place, turn in conversation.places():
        for kind, pattern in _PATTERNS.items():
            for match in pattern.finditer(turn.content):
                if not _is_sample(match.group()):
                    yield {"where": place, "kind": kind, "found": masked(match.group())}


def possible_secret(conversation: Conversation, _: Setup) -> Iterator[Values]:
    """FT302."""
    for place, turn in conversation.places():
        for line in turn.content.splitlines():
            for start in range(0, len(line), _PIECE):
                piece = line[start : start + _PIECE + _OVERLAP]
                for kind, analyse in detectors():
                    for value in analyse(piece):
                        if value and not _is_sample(value):
                            yield {"where": place, "kind": kind, "found": masked(value)}


@cache
def detectors() -> tuple[tuple[str, Callable[[str], Iterator[str]]], ...]:
    """What detect-secrets calls each kind, and the function that finds it; only text is looked at."""
    made = []
    for module, name in _DETECTORS:
        detector = getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        made.append((str(detector.secret_type), detector.analyze_string))
    return tuple(made)


def _is_sample(value: str) -> bool:
    return _SAMPLE.search(value) is not None or len(set(value)) < _MIN_DISTINCT


SECRET_RULES = (
    ExampleRule(
        Rule(
            code="FT301",
            name="secret",
            level="error",
            problem="{where} has what looks like {kind} ({found}), expected no secrets.",
            advice="Revoke it, and remove it from the data.",
            description="Messages have no keys or tokens of a format that nothing else has.",
            why="A tuned model repeats what it was taught, to anyone who asks; and the file goes to a "
            "provider.",
            bad=ask("How do I sign in?", "Use " + "AKIA" + "QYLPMN5HHHFPZAM2" + "."),
            good=ask("How do I sign in?", "Use a key such as AKIAIOSFODNN7EXAMPLE."),
        ),
        secret,
        mark=SECRETS,
    ),
    ExampleRule(
        Rule(
            code="FT302",
            name="possible-secret",
            level="off",
            extra="detect_secrets",
            problem="{where} may have a secret ({kind}: {found}), expected none.",
            advice="Look at it: remove it, or ignore the record with a reason.",
            description="Messages have nothing that detect-secrets takes for a key, token or password in a "
            "URL.",
            why="As FT301, for more formats and with more false alarms; off unless a recipe asks for it.",
            bad=ask("Which database?", "postgres://" + "app:Kq7vR2xw9z@db/prod"),
            good=ask("Which database?", "postgres://db/prod"),
        ),
        possible_secret,
    ),
)
