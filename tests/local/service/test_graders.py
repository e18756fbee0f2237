"""The routes of graders, through the SDK."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse

from tests.graders.test_parse import CHECK, CODE, LABEL, MULTI, SCORE, SIMILAR
from tests.local.harness import envelope, refusal, start_service

ITEM = {"reference": "세금"}
NO_ERRORS = {
    "formula_parse_error": False,
    "sample_parse_error": False,
    "truncated_observation_error": False,
    "unresponsive_reward_error": False,
    "invalid_variable_error": False,
    "other_error": False,
    "python_grader_server_error": False,
    "python_grader_server_error_type": None,
    "python_grader_runtime_error": False,
    "python_grader_runtime_error_details": None,
    "model_grader_server_error": False,
    "model_grader_refusal_error": False,
    "model_grader_parse_error": False,
    "model_grader_server_error_details": None,
    "details": None,
}


@pytest.fixture(scope="module")
def open_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """The SDK at a service whose operator allows code."""
    running = start_service(tmp_path_factory.mktemp("open") / ".finetune", "--allow-code")
    with running.client() as sdk:
        yield sdk
    running.stop()


def run(client: openai.OpenAI, grader: Any, answer: str = "세금", item: Any = ITEM) -> dict[str, Any]:
    """Grade an answer; the body, valid for the SDK's type, without the time that it took."""
    graders = client.fine_tuning.alpha.graders
    raw = graders.with_raw_response.run(grader=grader, model_sample=answer, item=item)
    body = raw.http_response.json()
    GraderRunResponse.model_validate(body, strict=True)
    assert body["metadata"].pop("execution_time") >= 0
    return body


def refused(act: Any, **body: Any) -> tuple[int, Any]:
    """The answer to what must not be done."""
    with pytest.raises(openai.APIStatusError) as caught:
        act(**body)
    return refusal(caught.value)


def test_a_check_has_the_hosted_shape(client: openai.OpenAI) -> None:
    """Every flag of the API is there."""
    assert run(client, CHECK) == {
        "reward": 1.0,
        "sub_rewards": {},
        "metadata": {
            "name": "same",
            "type": "string_check",
            "errors": NO_ERRORS,
            "scores": {"same": 1.0},
            "token_usage": None,
            "sampled_model_name": None,
        },
        "model_grader_token_usage_per_model": {},
    }


def test_several_graders_are_told_apart(client: openai.OpenAI) -> None:
    """The reward is the formula's, the parts are beside it."""
    pytest.importorskip("rouge_score", reason="rouge_score (the extra `graders`) is not installed")
    body = run(client, MULTI, answer="세 금")

    assert (body["reward"], body["sub_rewards"]) == (0.5, {"same": 0.0, "alike": 1.0})
    assert body["metadata"]["scores"] == {"same": 0.0, "alike": 1.0}


def test_a_failure_sets_its_flag(client: openai.OpenAI) -> None:
    """And says in words what is wrong."""
    body = run(client, CHECK, item={})

    expected = {**NO_ERRORS, "invalid_variable_error": True, "details": "item has no 'reference'"}
    assert (body["reward"], body["metadata"]["errors"]) == (0.0, expected)


def test_a_model_of_the_service_judges(client: openai.OpenAI) -> None:
    """The fake model says what the last message tells it to."""
    grader = {**SCORE, "input": [{"role": "user", "content": 'say {"result": {{ item.n }}}'}]}
    body = run(client, grader, item={"n": 0.25})

    assert body["reward"] == 0.25
    assert body["metadata"]["sampled_model_name"] == "tiny-1"
    assert body["model_grader_token_usage_per_model"] == {"tiny-1": 5}
    label = {**LABEL, "input": [{"role": "user", "content": "say good"}]}
    multi = {**MULTI, "graders": {"label": label, "score": grader}, "calculate_output": "label + score"}
    body = run(client, multi, item={"n": 0.25})
    assert body["sub_rewards"] == {"label": 1.0, "score": 0.25}
    assert body["model_grader_token_usage_per_model"] == {"tiny-1": 10}


def test_a_judge_that_dies_is_a_failure(client: openai.OpenAI) -> None:
    """Not a fault of the service."""
    errors = run(client, {**SCORE, "input": [{"role": "user", "content": "die"}]})["metadata"]["errors"]

    assert errors["model_grader_server_error"]
    assert errors["model_grader_server_error_details"].startswith(
        "The inference process was ended by signal 9"
    )


def test_code_needs_the_operator(client: openai.OpenAI, open_client: openai.OpenAI) -> None:
    """A request cannot allow it."""
    message = (
        "Graders of type 'python' run code on this machine, which its operator has not allowed. "
        "Start the service with: finetune serve --allow-code"
    )
    graders = client.fine_tuning.alpha.graders
    assert refused(graders.run, grader=CODE, model_sample="a") == (
        400,
        envelope(message, "grader.type", "code_not_allowed"),
    )
    inside = {**MULTI, "graders": {"code": CODE}, "calculate_output": "code"}
    assert refused(graders.run, grader=inside, model_sample="a")[1]["error"]["code"] == "code_not_allowed"
    assert run(open_client, CODE)["reward"] == 1.0


def test_code_that_raises_is_told(open_client: openai.OpenAI) -> None:
    """With its error."""
    source = "def grade(sample, item): return item['n'] / 0"
    errors = run(open_client, {**CODE, "source": source}, item={"n": 1})["metadata"]["errors"]

    assert errors["python_grader_runtime_error"]
    assert errors["python_grader_runtime_error_details"] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("grader", [CHECK, SIMILAR, CODE, SCORE, MULTI])
def test_a_grader_can_be_validated(client: openai.OpenAI, grader: Any) -> None:
    """It comes back as it was sent; code is read, not run."""
    graders = client.fine_tuning.alpha.graders
    body = graders.with_raw_response.validate(grader=grader).http_response.json()

    assert body == {"grader": grader}
    if grader is not MULTI:
        # The SDK's type of a multi grader knows the form with one grader only.
        GraderValidateResponse.model_validate(body, strict=True)


@pytest.mark.parametrize(
    ("grader", "status", "message", "param", "code"),
    [
        (
            {**CHECK, "operation": "near"},
            400,
            "'near' is not one of ['eq', 'ne', 'like', 'ilike'] - 'grader.operation'",
            "grader.operation",
            "invalid_value",
        ),
        (
            {**SIMILAR, "evaluation_metric": "cosine"},
            400,
            "cosine compares embeddings of text-embedding-3-large, which are not on this machine; "
            "use rouge_l or fuzzy_match - 'grader.evaluation_metric'",
            "grader.evaluation_metric",
            "invalid_value",
        ),
        (
            {**SCORE, "model": "tiny-2"},
            404,
            "The model `tiny-2` does not exist. Did you mean `tiny-1`?",
            "grader.model",
            "model_not_found",
        ),
        (
            LABEL,
            400,
            "a label_model grader can only be part of a multi grader - 'grader.type'",
            "grader.type",
            "invalid_value",
        ),
    ],
)
def test_what_is_wrong_is_refused(  # noqa: PLR0913
    client: openai.OpenAI, grader: Any, status: int, message: str, param: str, code: str
) -> None:
    """When it is validated and when it is run."""
    graders = client.fine_tuning.alpha.graders
    expected = status, envelope(message, param, code)

    assert refused(graders.validate, grader=grader) == expected
    assert refused(graders.run, grader=grader, model_sample="a", item={}) == expected
