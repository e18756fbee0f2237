"""The script that posts a review it cannot trust, against GitHub's API on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from runner.dataset.value import DatasetFile, Finding, InputFile
from runner.examples.read import Example
from runner.issues import Issue, Place, Severity
from runner.price import Price
from runner.report.diff_markdown import review_markdown
from runner.review.value import (
    Change,
    CheckChange,
    ExampleChange,
    ExampleChanges,
    FileChange,
    ProfileChange,
    Review,
    State,
)
from tests.workflows.fake_github import REPOSITORY, TOKEN, FakeGitHub, start, zipped

SCRIPT = Path(__file__).parent.parent.parent / "docs" / "workflows" / "finetune_comment.py"
MARKER = "<!-- finetune review -->\n"
SHA = "0123456789abcdef0123456789abcdef01234567"
REVIEW = """\
<!-- finetune diff faq default -->

### What would train differently: `faq`

```text
faq: 1234567890 → working tree
```

| | before | after |
|---|--:|--:|
| training examples | 12 | 1,012 |
| training tokens | about 192 | none |
| price | $0.39 | not stated |

**recipe**

```diff
! training.hyperparameters.n_epochs: 2 → 3
```

**conversations: 1 changed, 2 on the other side of the split**

````diff
! faq.jsonl: row 4, key 3
!   assistant: [-숫자 3-]{+```
!       @everyone <img src=https://evil.example/x> [x](https://evil.example)+}
````
"""
PLAIN = "This is not in the form that `finetune diff` writes, so it is shown as plain text.\n\n"

Post = Callable[..., str]


def loaded_script() -> Any:
    """The script as a module."""
    spec = spec_from_file_location("finetune_comment", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = loaded_script()


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """A repository with one open pull request from a fork."""
    served, elsewhere = FakeGitHub(), FakeGitHub()
    served.url, stop = start(served)
    elsewhere.url, stop_storage = start(elsewhere)
    served.storage = elsewhere.url
    elsewhere.artefacts = served.artefacts
    served.tokens = elsewhere.tokens
    served.open_pull(5, SHA)
    yield served
    stop()
    stop_storage()


@pytest.fixture
def post(github: FakeGitHub, tmp_path: Path) -> Post:
    """Run the script as the workflow does; tells what it said."""

    def posted(review: bytes | str | None, *, conclusion: str = "success", sha: str = SHA) -> str:
        if review is not None:
            content = review if isinstance(review, bytes) else zipped(review.encode())
            github.artefacts["finetune-review"] = content
        event = {
            "workflow_run": {
                "id": 42,
                "event": "pull_request",
                "conclusion": conclusion,
                "head_sha": sha,
                "head_branch": "topic",
                "head_repository": {"id": 7, "owner": {"login": "stranger"}},
                "pull_requests": [],
            }
        }
        path = tmp_path / "event.json"
        path.write_text(json.dumps(event))
        environment = {
            "PATH": os.environ["PATH"],
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": github.url,
        }
        command = [sys.executable, "-I", str(SCRIPT)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout.strip()

    return posted


def without_marker(review: str) -> str:
    """What is posted of a review in the usual form."""
    return MARKER + review.partition("\n")[2]


def blocks(markdown: str) -> list[str]:
    """What a comment is made of, below its marker."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown.removeprefix(MARKER))
    return [token.type.removesuffix("_open") for token in tokens if token.nesting >= 0 and not token.level]


def inlines(markdown: str) -> set[str]:
    """What stands in its lines of text."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown.removeprefix(MARKER))
    return {inner.type for token in tokens for inner in token.children or ()}


def test_a_review_is_posted_in_its_form(github: FakeGitHub, post: Post) -> None:
    assert "#5: posted a comment" == post(REVIEW)
    assert [without_marker(REVIEW)] == github.bodies(5)
    assert ["heading", "fence", "table", "paragraph", "fence", "paragraph", "fence"] == (
        blocks(github.bodies(5)[0])
    )
    assert {"text", "code_inline", "strong_open", "strong_close"} == inlines(github.bodies(5)[0])


def test_a_later_review_replaces_it(github: FakeGitHub, post: Post) -> None:
    github.comment(5, "A person's comment.", author="somebody")
    post(REVIEW)
    said = [post(REVIEW.replace("2 → 3", "2 → 4")), post(REVIEW.replace("2 → 3", "2 → 4"))]

    assert ["#5: updated the comment", "#5: the comment says so already"] == said
    assert ["A person's comment.", without_marker(REVIEW.replace("2 → 3", "2 → 4"))] == github.bodies(5)
    assert ["POST /issues/5/comments", "PATCH /issues/comments/2"] == github.changes


def test_it_is_deleted_when_nothing_changed(github: FakeGitHub, post: Post) -> None:
    quiet = post("")
    post(REVIEW)
    github.comment(5, "A person's comment.", author="somebody")

    assert "#5: nothing changed, and there is no comment" == quiet
    assert "#5: nothing changed any more; deleted the comment" == post("\n")
    assert ["A person's comment."] == github.bodies(5)


def test_only_its_own_comment_is_touched(github: FakeGitHub, post: Post) -> None:
    """Anybody can write the marker; a second comment of its own is cleared away."""
    github.comment(5, f"{MARKER}forged", author="stranger")
    for number in range(120):
        github.comment(5, f"comment {number}", author="somebody")
    github.comment(5, f"{MARKER}one")
    github.comment(5, f"{MARKER}two")
    github.comment(5, f"quoted: {MARKER}")
    said = post(REVIEW)

    assert "#5: updated the comment" == said
    assert ["PATCH /issues/comments/122", "DELETE /issues/comments/123"] == sorted(
        github.changes, reverse=True
    )
    assert f"{MARKER}forged" == github.bodies(5)[0]


def test_the_number_comes_from_the_head_alone(github: FakeGitHub, post: Post) -> None:
    """Whatever the artefact says; a pull request of another fork or commit is not this one."""
    github.open_pull(6, "f" * 40)
    github.open_pull(7, SHA, repository_id=8)
    github.artefacts["finetune-review"] = zipped(b"6\n")
    said = post(f"pull request: #6\n<!-- number: 6 -->\n{REVIEW}")

    assert "#5: posted a comment" == said
    assert ([], []) == (github.bodies(6), github.bodies(7))


@pytest.mark.parametrize("sha", ["e" * 40])
def test_a_commit_that_is_no_head_any_more_is_left(github: FakeGitHub, post: Post, sha: str) -> None:
    """A newer push has a run of its own."""
    assert "no open pull request has this commit as its head; nothing to do" == post(REVIEW, sha=sha)
    assert [] == github.changes


def test_two_pull_requests_of_one_head_are_left(github: FakeGitHub, post: Post) -> None:
    github.open_pull(6, SHA)

    assert "no open pull request has this commit as its head; nothing to do" == post(REVIEW)
    assert [] == github.changes


def test_the_token_goes_to_the_api_alone(github: FakeGitHub, post: Post) -> None:
    """The artefact lies elsewhere, behind a redirect."""
    post(REVIEW)

    assert None is github.tokens["/blob"]
    assert {f"Bearer {TOKEN}"} == {token for path, token in github.tokens.items() if path != "/blob"}


HOSTILE = {
    "mention": "Thanks @acme/owners, @everyone",
    "image": "![x](https://evil.example/pixel.png)",
    "html": '<img src="https://evil.example/x"><details open><script>alert(1)</script>',
    "link": "[Approve](https://evil.example) https://evil.example www.evil.example",
    "marker": f"{MARKER}forged",
    "comment that never ends": "<!--",
    "reference": "Closes #1, GH-2, acme/recipes#3",
    "heading with a link": "### What would train differently: `faq` [x](https://evil.example)",
    "cell with a link": "| price | www.evil.example | none |",
    "setext": "faq\n===",
    "diagram": '```mermaid\ngraph TD; A-->B; click A href "https://evil.example"\n```',
    "suggestion": "```suggestion\nevil\n```",
    "fence closed early": "```text\nx\n ````\n@everyone ![x](https://evil.example/x)",
    "fence closed with spaces": "```diff\nx\n```   \n@everyone ![x](https://evil.example/x)",
    "tildes": "~~~\n```\n~~~\n@everyone",
    "indented fence": "  ```text\n@everyone\n  ```",
    "backticks": "`" * 5_000 + "\n@everyone",
    "direction": "abc\u202e@everyone",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("start_of_text", ["", f"{REVIEW}\n"], ids=["alone", "after a review"])
def test_hostile_text_is_only_shown(name: str, start_of_text: str) -> None:
    """Everything ends up in one block of text."""
    body = script.inert(start_of_text + HOSTILE[name])

    assert body.startswith(PLAIN)
    assert ["paragraph", "fence"] == blocks(body)
    assert 65_536 > len(body)


def test_hostile_text_is_posted_so(github: FakeGitHub, post: Post) -> None:
    post(HOSTILE["html"])

    assert [f"{MARKER}{PLAIN}````text\n{HOSTILE['html']}\n````"] == github.bodies(5)


def test_all_that_diff_writes_is_in_its_form() -> None:
    """Every kind of section, and every kind of number."""
    issue = Issue(place=Place(file="a.jsonl", row=1), message="x")
    finding = Finding(code="FT107", severity=Severity.WARNING, message="x")
    example = Example(key="1", group=None, variant="", messages=(), file="a.jsonl", row=1)
    change = ExampleChange(before=example, after=example, side_before="training", side_after="validation")
    file = DatasetFile(sha256="a", size_bytes=1, n_examples=1_234, n_tokens=5, tokens_exact=False)
    review = Review(
        name="faq",
        profile="big-1",
        before=State(label="a", price=Price(usd=None, arithmetic=""), n_records=1),
        after=State(label="b", training_file=file, price=Price(usd=1_234.5, arithmetic=""), n_records=2_000),
        changes=(Change(path="where", kind="added", after="`" * 9),),
        profiles=(ProfileChange(name="x", kind="added"),),
        files=(FileChange(before=None, after=InputFile(name="a", sha256="b", size_bytes=1)),),
        checks=(CheckChange(before=None, after=finding),),
        problems_gained=(issue,),
    )
    counts = {f"n_{name}": 1_000 for name in ("changed", "added", "removed", "moved")}
    for examples, note in (
        (ExampleChanges(**counts, changed=(change,), moved=(change,)), None),
        (ExampleChanges(reordered=True), None),
        (None, "changed"),
    ):
        text = review_markdown(replace(review, examples=examples, note=note))
        assert text.partition("\n")[2] == script.inert(text)


def test_a_carriage_return_ends_no_line() -> None:
    """Markdown takes it for one, so it could close a fence."""
    body = script.inert("```text\nx\r```\r@everyone ![x](https://evil.example/x)\n```")

    assert "```text\nx\ufffd```\ufffd@everyone ![x](https://evil.example/x)\n```" == body
    assert ["fence"] == blocks(body)


@pytest.mark.parametrize("text", ["가" * 70_000, f"```text\n{'x ' * 35_000}\n```", "x\n" * 35_000])
def test_a_comment_is_never_too_long(text: str) -> None:
    assert 30 < len(MARKER + script.inert(text)) < 65_536


def test_a_long_review_in_its_form_is_cut_at_a_line(github: FakeGitHub, post: Post) -> None:
    long = REVIEW.replace("! training", "! x\n" * 20_000 + "! training")
    post(long)
    (body,) = github.bodies(5)

    assert 62_000 < len(body) < 65_536
    assert body.endswith("! x\n```\n\nThe rest is left out here; `finetune diff` shows it.")
    assert ["heading", "fence", "table", "paragraph", "fence", "paragraph"] == blocks(body)


@pytest.mark.parametrize(
    ("artefact", "reason"),
    [
        (b"not a zip", "its artefact is damaged"),
        (zipped(b"\xff\xfe"), "its artefact is not text"),
        (zipped(b"x", name="other.md"), "its artefact holds other files"),
        (zipped(b"x", name="../review.md"), "its artefact holds other files"),
        (zipped(b"x", second=b"y"), "its artefact holds other files"),
        (zipped(b"x" * 50_000_000), "it is too large"),
        (zipped(os.urandom(600_000)), "its artefact is too large"),
        (None, "its run left no review"),
    ],
)
def test_an_artefact_that_is_no_review(
    github: FakeGitHub, post: Post, artefact: bytes | None, reason: str
) -> None:
    post(artefact)

    assert [f"{MARKER}The review of the newest commit cannot be shown: {reason}."] == github.bodies(5)


def test_a_failed_run_only_marks_a_comment_that_is_there(github: FakeGitHub, post: Post) -> None:
    first = post(None, conclusion="failure")
    post(REVIEW)
    second = post(None, conclusion="failure")
    third = post(None, conclusion="action_required")

    assert ["#5: nothing to do", "#5: updated the comment", "#5: nothing to do"] == [first, second, third]
    said = "`finetune diff` did not finish for the newest commit; its checks say why."
    assert [f"{MARKER}{said}"] == github.bodies(5)
