"""The error answers of the API, in the hosted service's envelope and words."""

import errno

from starlette.responses import JSONResponse


class ApiError(Exception):
    """A request that is answered with an error; the message says what to do."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code

    @property
    def envelope(self) -> dict[str, dict[str, str | None]]:
        """The body that clients of the hosted service know."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    @property
    def response(self) -> JSONResponse:
        """The whole answer."""
        return JSONResponse(self.envelope, status_code=self.status)


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Refuse what a request asks for."""
    return ApiError(400, message, param=param, code=code)


def invalid_value(message: str, param: str) -> ApiError:
    """Refuse the value of a parameter."""
    return invalid(message, param, "invalid_value")


def not_found(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Say that something named in a request does not exist."""
    return ApiError(404, message, param=param, code=code)


def unsupported(param: str, found: str) -> ApiError:
    """Refuse a parameter that the hosted service has and this one does not, so that it is never ignored."""
    message = f"Unsupported value: '{param}' does not support {found} with the local service."
    return invalid(message, param, "unsupported_value")


def no_such_file(file_id: str) -> ApiError:
    """Answer for an unknown file ID."""
    return not_found(f"No such File object: {file_id}", "id")


def no_such_job(job_id: str) -> ApiError:
    """Answer for an unknown job ID."""
    return not_found(f"Could not find fine tune: {job_id}", "fine_tuning_job_id", "fine_tune_not_found")


def fault(error: Exception) -> ApiError:
    """Answer for what went wrong on our side, or with the disk."""
    is_disk_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    # SQLite has no number for it: https://www.sqlite.org/rescode.html#full
    if is_disk_full or "disk is full" in str(error):
        message = "The disk is full; free some space and send the request again."
        return ApiError(507, message, code="disk_full")
    message = "The local service had a fault while it processed your request. Its log says more."
    return ApiError(500, message, code="server_error")


def key_reused(kind: str) -> ApiError:
    """Refuse an idempotency key that came before with something else."""
    message = (
        f"The Idempotency-Key was used before to create another {kind}. "
        "Send the same request to get that one, or another key to create a new one."
    )
    return ApiError(409, message, param="Idempotency-Key", code="idempotency_key_reused")
