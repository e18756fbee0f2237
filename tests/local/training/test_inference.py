"""The process that answers chat requests: pytest tests/local/training/test_inference.py"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file

from runner.local.training.inference import KEPT_MODELS, ModelCache, answer
from runner.local.training.train import train
from tests.local.training.fakes import RecordingReporter, make_job, question_and_answer, write_jsonl

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

EXAMPLE = question_and_answer("환불은 언제 되나요?", "사흘 안에 환불됩니다. 👍")


@dataclass
class Process:
    """The inference process with its pipes."""

    process: "subprocess.Popen[str]"

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        assert self.process.stdout is not None
        self.send(json.dumps(request, ensure_ascii=False))
        replies = [json.loads(self.process.stdout.readline())]
        while not {"done", "error"} & replies[-1].keys():
            replies.append(json.loads(self.process.stdout.readline()))
        return replies


@pytest.fixture(scope="module")
def process(one_thread: None) -> Iterator[Process]:
    """One process for all tests; it has to end by itself when its input does."""
    popen = subprocess.Popen(
        [sys.executable, "-m", "runner.local.training.inference"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        # Another encoding than the pipe's: the process must not ask the locale.
        env={**os.environ, "PYTHONIOENCODING": "euc-kr"},
        cwd=Path(__file__).parents[3],
    )
    yield Process(popen)
    rest, _ = popen.communicate(timeout=30)
    assert ("", 0) == (rest, popen.returncode)


@pytest.fixture(scope="module")
def tuned(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny-1 that knows one answer."""
    folder = tmp_path_factory.mktemp("tuned")
    job = make_job(folder, write_jsonl(folder / "train.jsonl", [EXAMPLE]), n_epochs=25)
    return train(job, RecordingReporter()).model_dir


def request(**values: Any) -> dict[str, Any]:
    asked = [{"role": turn.role, "content": turn.content} for turn in EXAMPLE[:-1]]
    defaults = {"id": "1", "model_path": None, "base_model": "tiny-1", "messages": asked}
    sampling = {"max_tokens": None, "temperature": 0, "top_p": 1, "seed": None, "stop": []}
    return {**defaults, **sampling, **values}


def test_answer_comes_in_pieces_and_ends(process: Process, tuned: Path) -> None:
    *pieces, end, last = process.ask(request(id="a", model_path=str(tuned)))

    assert EXAMPLE[-1].content == "".join(piece["delta"] for piece in pieces)
    assert len(pieces) > 3
    assert {"a"} == {reply["id"] for reply in [*pieces, end, last]}
    assert {"id": "a", "index": 0, "finish_reason": "stop", "tool_calls": []} == end
    assert last["done"] is True
    assert 0 < last["prompt_tokens"] < 60
    assert len(pieces) <= last["completion_tokens"] < 30


def test_answers_come_from_the_weights(process: Process, tuned: Path, tmp_path: Path) -> None:
    """The same model with noise on its weights says something else."""
    noisy = tmp_path / "noisy"
    shutil.copytree(tuned, noisy)
    generator = torch.Generator().manual_seed(1)
    weights = load_file(noisy / "model.safetensors")
    perturbed = {
        name: value + 0.3 * torch.randn(value.shape, generator=generator) for name, value in weights.items()
    }
    save_file(perturbed, noisy / "model.safetensors", metadata={"format": "pt"})
    answers = [
        "".join(piece.get("delta", "") for piece in process.ask(request(model_path=str(path), max_tokens=30)))
        for path in (tuned, noisy, tuned)
    ]

    assert EXAMPLE[-1].content == answers[0] == answers[2]
    assert EXAMPLE[-1].content not in answers[1]


def test_stop_string_and_length_end_an_answer(process: Process, tuned: Path) -> None:
    *stopped, end, _ = process.ask(request(model_path=str(tuned), stop=["환불"]))
    *cut, end_cut, last_cut = process.ask(request(model_path=str(tuned), max_tokens=4))

    assert ("사흘 안에 ", "stop") == ("".join(piece["delta"] for piece in stopped), end["finish_reason"])
    assert EXAMPLE[-1].content.startswith("".join(piece["delta"] for piece in cut))
    assert (4, "length") == (last_cut["completion_tokens"], end_cut["finish_reason"])


def test_warm_line_has_no_reply(process: Process) -> None:
    process.send('{"warm": true}')
    [*_, last] = process.ask(request(id="after", max_tokens=1))

    assert "after" == last["id"]


def test_base_model_and_adapter_answer(process: Process, chat_model: Path, tmp_path: Path) -> None:
    train_file = write_jsonl(tmp_path / "t", [EXAMPLE])
    values = {"base_model": str(chat_model), "n_epochs": 1}
    adapter = train(make_job(tmp_path, train_file, **values), RecordingReporter()).model_dir
    for model_path in (None, str(adapter)):
        [*_, last] = process.ask(request(base_model=str(chat_model), model_path=model_path, max_tokens=5))
        assert last["done"] is True


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        ({"base_model": "/no/such"}, "model_not_found", "There is no model folder at /no/such."),
        ({"base_model": None}, "invalid_request", "base_model must be a string, model_path a string or null"),
        ({"messages": []}, "invalid_request", "messages must be a list with at least one message"),
        ({"stop": "x"}, "invalid_request", "stop must be a list of strings"),
        ({"temperature": 3}, "invalid_request", "temperature must be a number from 0 to 2, found 3"),
        ({"top_p": True}, "invalid_request", "top_p must be a number from 0 to 1, found True"),
        ({"max_tokens": -1}, "invalid_request", "max_tokens must be a whole number from 0, found -1"),
        (
            {"messages": [{"role": "user", "content": "<|im_end|>"}]},
            "invalid_request",
            "Invalid messages: message contains an invalid token: <|im_end|>",
        ),
        (
            {"messages": [{"role": "user", "content": "a" * 9000}]},
            "context_length_exceeded",
            "This model's maximum context length is 2048 tokens. However, your messages resulted in 9012 "
            "tokens.",
        ),
    ],
)
def test_bad_request_gets_an_error(process: Process, values: dict[str, Any], code: str, message: str) -> None:
    assert [{"id": "1", "error": {"code": code, "message": message}}] == process.ask(request(**values))


@pytest.mark.parametrize("line", [b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_line_that_is_no_request_gets_an_error_without_an_id(line: bytes) -> None:
    [reply] = answer(line, ModelCache())

    assert (None, "invalid_request") == (reply["id"], reply["error"]["code"])


def test_failure_inside_a_model_is_told_and_survived(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(ModelCache, "get", fail)
    replies = list(answer(json.dumps(request()).encode(), ModelCache()))

    assert [
        {"id": "1", "error": {"code": "server_error", "message": "The model failed: RuntimeError."}}
    ] == replies
    assert "secret detail" in capsys.readouterr().err


def test_last_models_stay_loaded(chat_model: Path, tuned: Path) -> None:
    cache = ModelCache()
    first = cache.get("tiny-1", None)
    cache.get("tiny-1", tuned)
    assert first is cache.get("tiny-1", None)
    cache.get(str(chat_model), None)

    assert KEPT_MODELS == len(cache.models)
    assert [("tiny-1", None), (str(chat_model), None)] == list(cache.models)


def test_library_that_prints_does_not_disturb_the_replies() -> None:
    """Python's print and the C level both reach stderr."""
    code = (
        "import os, sys\n"
        "from runner.local.training import inference\n"
        "def loud(line, cache):\n"
        "    print('python'); os.write(1, b'c level'); yield {'id': line.strip().decode()}\n"
        "inference.answer = loud\n"
        "sys.exit(inference.main())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        input="1\n2\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )

    assert '{"id": "1"}\n{"id": "2"}\n' == result.stdout
    assert "python" in result.stderr
    assert "c level" in result.stderr
