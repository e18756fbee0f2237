"""Tells an address of the operator that a job ended, as OpenAI's webhooks do."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.canonical import canonical_json, sha256_of
from runner.errors import RunnerError, UsageError
from runner.lock.lockfile import LockedJob
from runner.operator import Operator

SECRET_VARIABLE = "FINETUNE_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets of the standard begin with
TIMEOUT_S = 10.0
ATTEMPTS = 3
PAUSE_S = 1.0


def check_webhook(operator: Operator) -> None:
    """Refuse an address that is none, and a secret that cannot sign. Raises UsageError."""
    if operator.webhook is None:
        return
    parts = urlsplit(operator.webhook)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("--webhook: expected a URL such as https://example.com/hook.")
    secret = operator.environment.get(SECRET_VARIABLE, "")
    try:
        _key(secret)
    except ValueError:
        raise UsageError(
            f"{SECRET_VARIABLE}: expected {SECRET_PREFIX} and base64, as OpenAI's webhook secrets are."
        ) from None


def send(job: LockedJob, recipe: str, operator: Operator) -> None:
    """Send `fine_tuning.job.succeeded`, `.failed` or `.cancelled`; signed where a secret is set.

    The body is OpenAI's event with the recipe, status and model beside the job's ID. The event's ID follows
    from job and status, so that a receiver knows a repetition. Three attempts; raises RunnerError.

    https://platform.openai.com/docs/guides/webhooks, https://www.standardwebhooks.com (2026-11)
    """
    import httpx2  # slow to import, and few runs have a webhook

    url = operator.webhook or ""
    now = int(operator.clock.now())
    body = canonical_json(
        {
            "id": f"evt_{sha256_of([job.id, job.status])[:24]}",
            "object": "event",
            "type": f"fine_tuning.job.{job.status}",
            "created_at": now,
            "data": {
                "id": job.id,
                "recipe": recipe,
                "status": job.status,
                "fine_tuned_model": job.fine_tuned_model,
            },
        }
    )
    headers = {"content-type": "application/json", **_signature(body, now, operator.environment)}
    said = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            operator.clock.sleep(PAUSE_S * 2**attempt)
        try:
            # A redirect could lead the signed message somewhere that nobody named.
            answer = httpx2.post(
                url, content=body, headers=headers, timeout=TIMEOUT_S, follow_redirects=False
            )
        except httpx2.HTTPError as error:
            said = type(error).__name__
            continue
        if answer.is_success:
            return
        said = f"HTTP {answer.status_code}"
    host = urlsplit(url).hostname
    raise RunnerError(f"the webhook at {host} was not told ({said}); the job is as the lockfile says.")


def _signature(body: bytes, now: int, environment: Mapping[str, str]) -> dict[str, str]:
    event_id = str(json.loads(body)["id"])
    headers = {"webhook-id": event_id, "webhook-timestamp": str(now)}
    secret = environment.get(SECRET_VARIABLE)
    if not secret:
        return headers
    signed = hmac.new(_key(secret), b".".join([event_id.encode(), str(now).encode(), body]), hashlib.sha256)
    return {**headers, "webhook-signature": f"v1,{base64.b64encode(signed.digest()).decode()}"}


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
