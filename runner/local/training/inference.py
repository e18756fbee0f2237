"""Answers chat requests in a process of its own: JSON lines on stdin, JSON lines on stdout.

    python -m runner.local.training.inference

A request is an object of what `runner.local.training.chat_request` reads: `model_path` is a folder with
weights or an adapter, or null for `base_model` itself. Its replies are, for each answer from 0 to n - 1, any
number of `{"id", "index", "delta", "logprobs"}` and one `{"id", "index", "finish_reason", "tool_calls"}`;
then `{"id", "done", "prompt_tokens", "completion_tokens"}`, or `{"id", "error": {"code", "message"}}` at any
point. `{"warm": true}` loads the libraries and has no reply. The process ends with its input. It never uses
the network: a model by name must be in the Hugging Face cache.
"""

import json
import os
import sys
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from runner.local.training.chat_request import ChatRequest, InvalidRequestError, parse_request
from runner.local.training.environment import TINY_1_THREADS, prepare_environment
from runner.local.training.job import TrainingError
from runner.local.training.messages import InvalidMessageError

if TYPE_CHECKING:
    from runner.local.training.models import LoadedModel

KEPT_MODELS = 2

Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelCache:
    """The models used last, the most recent at the end."""

    models: "OrderedDict[tuple[str, Path | None], LoadedModel]" = field(default_factory=OrderedDict)

    def get(self, base_model: str, path: Path | None) -> "LoadedModel":
        """Return a model, loading it when it is not one of the last KEPT_MODELS. Raises TrainingError."""
        from runner.local.training.models import load_model

        key = (base_model, path)
        if key not in self.models:
            # Made room for before loading, so that no more than KEPT_MODELS are ever in memory.
            while len(self.models) >= KEPT_MODELS:
                self.models.popitem(last=False)
            self.models[key] = load_model(base_model, path, allow_network=False)
            self.models[key].model.eval()
        self.models.move_to_end(key)
        return self.models[key]


def main() -> int:
    """Serve requests until stdin ends."""
    output = _claim_stdout()
    prepare_environment(allow_network=False, threads=None)
    cache = ModelCache()
    try:
        # Bytes, because the text layer would decode them as the locale says.
        for line in sys.stdin.buffer:
            for reply in answer(line, cache):
                output.write(json.dumps(reply) + "\n")
                output.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    return 0


def answer(line: bytes, cache: ModelCache) -> Iterator[Reply]:
    """Answer one line of input; every problem becomes an error reply."""
    request_id = None
    try:
        content = _decode(line)
        if content.get("warm") is True:
            _load_libraries()
            return
        request_id = content.get("id")
        yield from _replies(parse_request(content), cache)
    except TrainingError as error:
        yield _error(request_id, error.code, error.message)
    except (InvalidRequestError, InvalidMessageError) as error:
        yield _error(request_id, "invalid_request", str(error))
    except Exception as error:  # noqa: BLE001 - one bad request must not end the others' service
        yield _failure(request_id, error)


def _decode(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"a request must be JSON: {error}") from error
    if not isinstance(content, dict):
        raise InvalidRequestError("a request must be a JSON object")
    return content


def _replies(request: ChatRequest, cache: ModelCache) -> Iterator[Reply]:
    import torch

    from runner.local.training.answer import Answerer, UnsupportedRequestError
    from runner.local.training.conversation import ConversationError
    from runner.local.training.generation import ContextLengthError
    from runner.local.training.grammar import InvalidSchemaError
    from runner.local.training.tiny_model import TINY_1

    n_threads = TINY_1_THREADS if request.base_model == TINY_1 else os.cpu_count() or 1
    torch.set_num_threads(n_threads)
    loaded = cache.get(request.base_model, request.model_path)
    try:
        for reply in Answerer(loaded, request).replies():
            yield {"id": request.request_id, **reply}
    except ContextLengthError as error:
        yield _error(request.request_id, "context_length_exceeded", str(error))
    except ConversationError as error:
        yield _error(request.request_id, "invalid_request", f"Invalid messages: {error}")
    except InvalidSchemaError as error:
        yield _error(request.request_id, "invalid_schema", f"Invalid JSON schema: {error}.")
    except UnsupportedRequestError as error:
        yield _error(request.request_id, "unsupported_value", str(error))


def _load_libraries() -> None:
    import runner.local.training.answer
    import runner.local.training.models  # noqa: F401


def _failure(request_id: Any, error: Exception) -> Reply:
    from runner.local.training.failures import machine_failure

    known = machine_failure(error)
    if known is not None:
        return _error(request_id, known.code, known.message)
    traceback.print_exception(error)
    return _error(request_id, "server_error", f"The model failed: {type(error).__name__}.")


def _error(request_id: Any, code: str, message: str) -> Reply:
    return {"id": request_id, "error": {"code": code, "message": message}}


def _claim_stdout() -> TextIO:
    """Keep stdout for replies: whatever a library prints from here on goes to stderr."""
    sys.stdout.flush()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return replies


if __name__ == "__main__":
    sys.exit(main())
