"""Checks the local service and the runner against OpenAI's own OpenAPI document.

    python scripts/check_openapi.py DOCUMENT

DOCUMENT is the JSON file that OpenAI publishes; it is not part of this repository. Every route of the service
is asked through the openai SDK, and the runner trains a recipe through the same proxy, which keeps every
exchange. Then each request and each answer is held against the document. Ends with 1 where one does not fit.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import openai

from scripts.openapi_document import Document
from scripts.service_proxy import Answer, Forward, Request, proxy, running_service

HOST = """\
name = "checked"
base_url = "{url}/v1"
key_variable = "CHECKED_KEY"
as_of = 2026-11-22
paid = false
keeps_metadata = true
limits = {{ min_examples = 10, max_file_bytes = 536870912, max_suffix_characters = 64 }}
models = [{{ name = "tiny-1", max_example_tokens = 2048 }}]
"""
RECIPE = """\
version: 1
name: checked
sources:
  - path: data.jsonl
key: id
fields: {question: question, answer: answer}
template:
  messages:
    - {role: user, content: "{{ question }}"}
    - {role: assistant, content: "{{ answer }}"}
split: {validation: 0.2}
training:
  provider: checked
  model: tiny-1
  suffix: checked
  hyperparameters: {n_epochs: 2}
"""
QUESTION: Any = [{"role": "user", "content": "답을 json 으로 줘"}]
CHECK = {
    "type": "string_check",
    "name": "same",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "tiny-1",
    "input": [{"role": "user", "content": "Rate: {{ sample.output_text }}"}],
    "range": [0, 1],
}


def main() -> int:
    """Ask everything, check everything, print what does not fit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("document", type=Path)
    document = Document(parser.parse_args().document)
    exchanges: list[tuple[Request, Answer]] = []

    def keep(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        exchanges.append((request, answer))
        return answer

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state = Path(folder) / "service" / ".finetune"
        with running_service(state) as record, proxy(record, keep) as url:
            run_the_runner(Path(folder) / "project", url, record.token)
            print(f"the runner made {len(exchanges)} exchanges")
            with openai.OpenAI(base_url=f"{url}/v1", api_key=record.token, max_retries=0) as client:
                ask_everything(client)
    return report(document, exchanges)


def run_the_runner(folder: Path, url: str, token: str) -> None:
    """Plan, run, run again and watch a recipe, with the proxy as its provider."""
    hosts = folder / "config" / "finetune" / "hosts"
    hosts.mkdir(parents=True)
    (hosts / "checked.toml").write_text(HOST.format(url=url))
    (folder / "finetune.toml").touch()
    rows = [{"id": n, "question": f"질문 {n}", "answer": f"답 {n}"} for n in range(20)]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "recipe.yaml").write_text(RECIPE)
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "CHECKED_KEY": token}
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    for arguments in (
        ["plan", "recipe.yaml"],
        ["run", "recipe.yaml", "--yes"],
        ["run", "recipe.yaml", "--yes"],
        ["jobs", "--provider", "checked"],
        ["files", "list", "--provider", "checked"],
        ["models", "list", "--provider", "checked"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "runner", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            print(f"finetune {' '.join(arguments)}: {done.returncode}\n{done.stderr}", file=sys.stderr)


def ask_everything(client: openai.OpenAI) -> None:
    """Every route of the service, with as many of its parameters as there are."""
    content = b"".join(
        json.dumps(
            {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]}
        ).encode()
        + b"\n"
        for n in range(10)
    )
    file = ask_files(client, content)
    job = ask_jobs(client, file)
    ask_models(client, job)
    ask_graders(client)
    ask_chats(client)
    ask_batches(client)


def ask_files(client: openai.OpenAI, content: bytes) -> str:
    """Files and uploads; the ID of a training file."""
    client.files.list(purpose="vision")
    expiry: Any = {"anchor": "created_at", "seconds": 3600}
    short = client.files.create(file=("a.txt", b"a"), purpose="user_data", expires_after=expiry)
    client.files.create(file=("a.csv", b"a"), purpose="evals")
    client.files.retrieve(short.id)
    client.files.content(short.id)
    client.files.delete(short.id)
    list(client.files.list(limit=1, order="asc"))
    body: Any = {
        "filename": "a.jsonl",
        "purpose": "fine-tune",
        "mime_type": "text/jsonl",
        "bytes": len(content),
    }
    client.uploads.cancel(client.uploads.create(**body).id)
    pending = client.uploads.create(**body, expires_after=expiry)
    part = client.uploads.parts.create(pending.id, data=content)
    client.uploads.complete(pending.id, part_ids=[part.id])
    return client.files.create(file=("train.jsonl", content), purpose="fine-tune").id


def ask_jobs(client: openai.OpenAI, file: str) -> Any:
    """Jobs in every status; one that succeeded."""
    jobs = client.fine_tuning.jobs
    whole = jobs.create(
        model="tiny-1",
        training_file=file,
        validation_file=file,
        suffix="checked",
        seed=7,
        metadata={"a": "b"},
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": "auto"}},
        },
        integrations=[{"type": "wandb", "wandb": {"project": "p", "tags": ["t"]}}],
    )
    paused = jobs.create(model="tiny-1", training_file=file, hyperparameters={"n_epochs": 1})
    jobs.pause(paused.id)
    broken = client.files.create(file=("train.jsonl", b'{"a": 1}\n'), purpose="fine-tune").id
    failed = jobs.create(model="tiny-1", training_file=broken)
    wait(lambda: jobs.retrieve(whole.id).status == "succeeded")
    jobs.resume(paused.id)
    jobs.cancel(jobs.create(model="tiny-1", training_file=file).id)
    for job in (paused, failed):
        wait(lambda job=job: jobs.retrieve(job.id).status in ("succeeded", "failed"))
    jobs.list(limit=2, metadata={"a": "b"})
    list(jobs.list(limit=2))
    list(jobs.list_events(whole.id, limit=10))
    list(jobs.checkpoints.list(whole.id, limit=1))
    return jobs.retrieve(whole.id)


def ask_models(client: openai.OpenAI, job: Any) -> None:
    """Models and who may use their checkpoints."""
    checkpoint = client.fine_tuning.jobs.checkpoints.list(job.id).data[0].fine_tuned_model_checkpoint
    permissions = client.fine_tuning.checkpoints.permissions
    given = permissions.create(checkpoint, project_ids=["proj_a"])
    permissions.list(checkpoint, limit=1, order="ascending", project_id="proj_a")
    permissions.delete(given.data[0].id, fine_tuned_model_checkpoint=checkpoint)
    client.models.list()
    client.models.retrieve(job.fine_tuned_model)
    client.models.delete(checkpoint)


def ask_graders(client: openai.OpenAI) -> None:
    """Each kind of grader that needs no permission."""
    graders = client.fine_tuning.alpha.graders
    item = {"reference": "a"}
    similar: Any = {
        "type": "text_similarity",
        "name": "alike",
        "input": CHECK["input"],
        "reference": CHECK["reference"],
        "evaluation_metric": "rouge_l",
    }
    multi: Any = {
        "type": "multi",
        "name": "both",
        "graders": {"same": CHECK, "alike": similar},
        "calculate_output": "(same + alike) / 2",
    }
    single: Any = {**multi, "graders": CHECK, "calculate_output": "same"}
    code: Any = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}
    for grader in (CHECK, similar, multi, single, JUDGE):
        graders.run(grader=grader, model_sample="a", item=item)  # type: ignore[arg-type]
    for grader in (CHECK, similar, multi, single, JUDGE, code):
        graders.validate(grader=grader)  # type: ignore[arg-type]


def ask_chats(client: openai.OpenAI) -> None:
    """Answers in every form."""
    chats = client.chat.completions
    common: Any = {"model": "tiny-1", "messages": QUESTION, "max_completion_tokens": 8, "seed": 1}
    kept = chats.create(**common, n=2, logprobs=True, top_logprobs=2, store=True, metadata={"a": "b"})
    list(chats.create(**common, stream=True, stream_options={"include_usage": True}, logprobs=True))
    chats.create(**common, temperature=0, top_p=0.5, presence_penalty=1, frequency_penalty=1, stop=["x"])
    chats.create(**common, logit_bias={"5": -100}, user="me")
    chats.create(**common, response_format={"type": "json_object"})
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    form: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    chats.create(**common, response_format=form)
    tool: Any = {"type": "function", "function": {"name": "f", "parameters": schema}}
    chats.create(**common, tools=[tool], tool_choice="none")
    chats.list(limit=1, order="desc", metadata={"a": "b"}, model="tiny-1")
    chats.retrieve(kept.id)
    chats.messages.list(kept.id)
    chats.update(kept.id, metadata={"c": "d"})
    chats.delete(kept.id)
    chats.list(model="none")


def ask_batches(client: openai.OpenAI) -> None:
    """Batches that end in every way."""
    url: Any = "/v1/chat/completions"

    def start(*requests: Any) -> Any:
        content = b"".join(json.dumps(line).encode() + b"\n" for line in requests)
        file = client.files.create(file=("in.jsonl", content), purpose="batch").id
        return client.batches.create(
            input_file_id=file, endpoint=url, completion_window="24h", metadata={"a": "b"}
        )

    body = {"model": "tiny-1", "messages": QUESTION, "max_tokens": 4}
    good = {"custom_id": "a", "method": "POST", "url": url, "body": body}
    bad = {**good, "custom_id": "b", "body": {**body, "n": 0}}
    done, failed = start(good, bad), start(good, good)
    for batch in (done, failed):
        wait(lambda batch=batch: client.batches.retrieve(batch.id).status in ("completed", "failed"))
    client.batches.cancel(start(*[{**good, "custom_id": str(n)} for n in range(50)]).id)
    list(client.batches.list(limit=2))


def wait(condition: Any) -> None:
    """Ask until the answer is true."""
    while not condition():
        time.sleep(0.3)


def report(document: Document, exchanges: list[tuple[Request, Answer]]) -> int:
    """Print what does not fit and the count of what was looked at."""
    problems: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    for request, answer in exchanges:
        operation = document.find(request.method, request.path.removeprefix("/v1"))
        if operation is None:
            beyond[re.sub(r"chatcmpl-[0-9a-f]+", "{id}", f"{request.method} {request.path}")] += 1
            continue
        seen[operation] += 1
        for problem in check(document, operation, request, answer):
            problems[f"{operation}: {problem}"] += 1
    for problem, count in sorted(problems.items()):
        print(f"{count} x {problem}")
    print(f"{sum(seen.values())} exchanges with {len(seen)} of {len(document.operations)} operations")
    for operation in document.operations:
        if operation not in seen:
            print(f"not asked: {operation}")
    for route, count in sorted(beyond.items()):
        print(f"not in the document: {route} ({count})")
    print(f"{problems.total()} violations")
    return 1 if problems else 0


def check(document: Document, operation: str, request: Request, answer: Answer) -> list[str]:
    """Hold one exchange against the document."""
    problems = document.query_problems(operation, query_of(request))
    if request.method == "POST":
        body = form_of(request) if request.media_type == "multipart/form-data" else None
        if request.media_type == "application/json" and request.body:
            body = request.json
        if body is not None:
            problems += document.request_problems(operation, request.media_type, body)
    if answer.status != 200:
        return [*problems, f"answer: status {answer.status}: {answer.body[:300].decode()}"]
    if answer.media_type == "text/event-stream":
        for event in re.findall(r"^data: (\{.*)$", answer.body.decode(), re.MULTILINE):
            problems += document.answer_problems(operation, 200, answer.media_type, json.loads(event))
        return problems
    if operation == "GET /files/{file_id}/content":
        # The document calls the bytes of a file JSON text.
        return problems
    return problems + document.answer_problems(operation, 200, answer.media_type, json.loads(answer.body))


def query_of(request: Request) -> dict[str, Any]:
    """The query with numbers as numbers and `metadata[key]` as an object."""
    query: dict[str, Any] = {}
    for name, value in request.query:
        found = re.fullmatch(r"(\w+)\[(.+)\]", name)
        if found:
            query.setdefault(found[1], {})[found[2]] = value
        else:
            query[name] = int(value) if value.isdigit() else value
    return query


def form_of(request: Request) -> dict[str, Any]:
    """A multipart form as an object; a file is text here, as in the document."""
    border = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    form: dict[str, Any] = {}
    for part in request.body.split(b"--" + border)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        found = re.search(rb'name="(\w+)(?:\[(\w+)\])?"', head)
        if found is None:
            continue
        value: Any = content.removesuffix(b"\r\n").decode("utf-8", "replace")
        if found[2]:
            key = found[2].decode()
            form.setdefault(found[1].decode(), {})[key] = int(value) if value.isdigit() else value
        else:
            form[found[1].decode()] = value
    return form


if __name__ == "__main__":
    sys.exit(main())
