"""The routes that run and validate graders."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.errors import MissingExtraError
from runner.graders.grade import Failure, Grade, Means, code_graders, grade, judging_models
from runner.graders.judge import Chat, JudgeUnavailableError, Question, Reply
from runner.graders.model import Grader, InvalidGraderError, LabelModel, Multi, ScoreModel
from runner.graders.parse import parse_grader
from runner.graders.template import Sample
from runner.local.catalogue import UnknownModelError, find_model
from runner.local.service.asking import complete
from runner.local.service.bodies import read_object
from runner.local.service.chat_body import can_hold_to_schema
from runner.local.service.context import Service, service_of
from runner.local.service.refusals import ApiError, invalid, invalid_value, not_found
from runner.local.service.wording import check_body

# Enough for JSON with one value; a model that knows nothing would fill its whole context.
MAX_JUDGE_TOKENS = 64
RUN = {
    "type": "object",
    "properties": {
        "grader": {"type": "object"},
        "model_sample": {"type": "string"},
        "item": {"type": "object"},
    },
    "required": ["grader", "model_sample"],
    "additionalProperties": False,
}
VALIDATE = {
    "type": "object",
    "properties": {"grader": {"type": "object"}},
    "required": ["grader"],
    "additionalProperties": False,
}


async def run_grader(request: Request) -> Response:
    """POST /fine_tuning/alpha/graders/run: grade one answer."""
    service, body = service_of(request), await read_object(request)
    check_body(body, RUN)
    grader = read_grader(service, body["grader"])
    refuse_code(grader, "grader", allow_code=service.allow_code)
    means = Means(chat=_chat(service), allow_code=service.allow_code)
    sample = Sample(output_text=body["model_sample"])
    started_at = time.monotonic()
    try:
        graded = await asyncio.to_thread(grade, grader, sample, body.get("item") or {}, means)
    except MissingExtraError as error:
        raise invalid(str(error), "grader", "unsupported_value") from error
    return JSONResponse(_result(grader, graded, time.monotonic() - started_at))


async def validate_grader(request: Request) -> Response:
    """POST /fine_tuning/alpha/graders/validate: read a grader without running it."""
    service, body = service_of(request), await read_object(request)
    check_body(body, VALIDATE)
    read_grader(service, body["grader"])
    return JSONResponse({"grader": body["grader"]})


ROUTES = [
    Route("/fine_tuning/alpha/graders/run", run_grader, methods=["POST"]),
    Route("/fine_tuning/alpha/graders/validate", validate_grader, methods=["POST"]),
]


def refuse_code(grader: Grader, place: str, *, allow_code: bool) -> None:
    """Refuse a grader that runs Python, unless the service's operator allowed it. Raises ApiError."""
    if code_graders(grader) and not allow_code:
        raise invalid(
            "Graders of type 'python' run code on this machine, which its operator has not allowed. "
            "Start the service with: finetune serve --allow-code",
            f"{place}.type",
            "code_not_allowed",
        )


def read_grader(service: Service, value: Mapping[str, Any]) -> Grader:
    """Read a grader of a request. Raises ApiError."""
    try:
        grader = parse_grader(value)
        for model in judging_models(grader):
            find_model(service.store, service.layout, model)
    except InvalidGraderError as error:
        raise invalid_value(str(error), error.path) from error
    except UnknownModelError as error:
        raise not_found(str(error), "grader.model", "model_not_found") from error
    if isinstance(grader, LabelModel):
        raise invalid_value(
            "a label_model grader can only be part of a multi grader - 'grader.type'", "grader.type"
        )
    return grader


def _chat(service: Service) -> Chat:
    """Let graders, which run in a thread of their own, ask the service's models."""
    loop = asyncio.get_running_loop()

    def chat(question: Question) -> Reply:
        return asyncio.run_coroutine_threadsafe(_ask(service, question), loop).result()

    return chat


async def _ask(service: Service, question: Question) -> Reply:
    sampling = {name: value for name, value in question.sampling.items() if name != "max_completions_tokens"}
    body: dict[str, Any] = {
        "model": question.model,
        "messages": [dict(message) for message in question.messages],
        "max_completion_tokens": question.sampling.get("max_completions_tokens", MAX_JUDGE_TOKENS),
        **sampling,
    }
    if can_hold_to_schema():
        form = {"name": "judgement", "schema": dict(question.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    try:
        answer = await complete(service, body)
    except ApiError as error:
        raise JudgeUnavailableError(error.message) from error
    text = answer["choices"][0]["message"]["content"]
    return Reply(text=text, n_tokens=answer["usage"]["total_tokens"])


def _result(grader: Grader, graded: Grade, seconds: float) -> dict[str, Any]:
    scores = {name: part.score for name, part in graded.parts.items()} or {grader.name: graded.score}
    models = judging_models(grader)
    return {
        "reward": graded.score,
        "sub_rewards": {name: part.score for name, part in graded.parts.items()},
        "metadata": {
            "name": grader.name,
            "type": grader.type,
            "errors": _errors(graded),
            "execution_time": seconds,
            "scores": scores,
            "token_usage": graded.n_tokens,
            "sampled_model_name": models[0] if models else None,
        },
        "model_grader_token_usage_per_model": _usage(grader, graded),
    }


def _errors(graded: Grade) -> dict[str, Any]:
    """The flags of the API; `details` says in words what the flag that is set means."""
    flags: dict[str, Any] = {name: graded.failure == name for name in get_args(Failure)}

    def details_of(name: Failure) -> str | None:
        return graded.details if graded.failure == name else None

    return {
        **flags,
        "sample_parse_error": False,
        "truncated_observation_error": False,
        "unresponsive_reward_error": False,
        "model_grader_refusal_error": False,
        "python_grader_runtime_error_details": details_of("python_grader_runtime_error"),
        "python_grader_server_error_type": details_of("python_grader_server_error"),
        "model_grader_server_error_details": details_of("model_grader_server_error"),
        "details": graded.details or None,
    }


def _usage(grader: Grader, graded: Grade) -> dict[str, int]:
    """Tokens by model."""
    if isinstance(grader, ScoreModel | LabelModel):
        return {} if graded.n_tokens is None else {grader.model: graded.n_tokens}
    usage: dict[str, int] = {}
    if isinstance(grader, Multi):
        for name, part in grader.graders.items():
            for model, n_tokens in _usage(part, graded.parts[name]).items():
                usage[model] = usage.get(model, 0) + n_tokens
    return usage
