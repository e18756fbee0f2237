"""Keeps one comment of a pull request at what `finetune diff` last said of it.

For a run of `workflow_run`: with a token that may write, and a review that a stranger may have written. The
review is read as text, bounded, and made inert; nothing in it decides where it is posted.

Needs the standard library alone, and in the environment GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_TOKEN,
and GITHUB_API_URL where it is not github.com.
"""

import io
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

MARKER = "<!-- finetune review -->"
NOTHING = "nothing to do"
# A run that waits for an approval, or was cancelled for a newer one, says nothing.
FAILED = ("failure", "timed_out", "startup_failure")
ARTEFACT, FILE = "finetune-review", "review.md"
AUTHOR = "github-actions[bot]"

MAX_ZIP_BYTES = 1 << 19
MAX_BYTES = 1 << 18
MAX_API_BYTES = 8 << 20
# GitHub takes 65,536. https://github.com/orgs/community/discussions/41331 (2022-12)
MAX_CHARACTERS = 63_000
MAX_PAGES = 30
TIMEOUT_S = 30.0

# Controls, and what hides or reorders text. https://trojansource.codes (2021-11)
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
COUNTS = r"[0-9,]+ (?:changed|added|removed|on the other side of the split)"
CELL = r"(?:(?:about )?\$?[0-9][0-9,]*(?:\.[0-9]{2})?|none|not stated|unknown)"
# All that `finetune diff --format markdown` writes outside of fences: nothing that links, mentions or embeds.
PLAIN_LINES = [
    re.compile(pattern)
    for pattern in (
        r"",
        r"### What would train differently: `[a-z0-9-]{1,64}`",
        r"\| \| before \| after \|",
        r"\|---\|--:\|--:\|",
        rf"\| [a-z ]{{1,40}} \| {CELL} \| {CELL} \|",
        r"\*\*(?:recipe|other profiles|files|checks|problems|conversations)\*\*",
        rf"\*\*conversations: {COUNTS}(?:, {COUNTS})*\*\*",
        r"\*\*conversations: the same in another order\*\*",
    )
]
OWN_MARKER = re.compile(r"<!-- finetune diff [a-z0-9-]{1,64} [a-z0-9_]{1,64} -->")
# A fence of another language may be drawn as a map or a diagram.
FENCE = re.compile(r"(`{3,2048})(?:text|diff)")


class Refused(Exception):
    """The review cannot be shown; the message is ours, never the review's."""


class Api:
    """GitHub's REST API for one repository."""

    def __init__(self, url: str, repository: str, token: str) -> None:
        self.start = f"{url.rstrip('/')}/repos/{repository}"
        self.token = token
        self.opener = urllib.request.build_opener(NoRedirect)

    def call(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        """Make a request; the value is the JSON of the answer."""
        with self.opener.open(self.request(method, path, data), timeout=TIMEOUT_S) as answer:
            content = read_within(answer, MAX_API_BYTES)
        return json.loads(content) if content else None

    def request(self, method: str, path: str, data: dict[str, Any] | None = None) -> urllib.request.Request:
        """A request with the token."""
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        body = None if data is None else json.dumps(data).encode()
        return urllib.request.Request(self.start + path, data=body, headers=headers, method=method)

    def download(self, path: str) -> bytes:
        """A file that the API answers with a redirect to; the token is not sent along."""
        try:
            with self.opener.open(self.request("GET", path), timeout=TIMEOUT_S) as answer:
                return read_within(answer, MAX_ZIP_BYTES)
        except urllib.error.HTTPError as error:
            target = error.headers.get("Location", "")
            if error.code not in (301, 302, 303, 307) or not target:
                raise
        if urllib.parse.urlsplit(target).scheme != urllib.parse.urlsplit(self.start).scheme:
            raise Refused("its artefact lies at an unexpected address")
        with self.opener.open(urllib.request.Request(target), timeout=TIMEOUT_S) as answer:
            return read_within(answer, MAX_ZIP_BYTES)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send the token on to wherever it is told to go."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""
        return


def main() -> int:
    """Bring the comment up to date; tells what it did."""
    run = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))["workflow_run"]
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    api = Api(url, os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_TOKEN"])
    number = pull_request_of(api, run)
    if number is None:
        print("no open pull request has this commit as its head; nothing to do")
        return 0
    done = note_failure(api, number) if run["conclusion"] in FAILED else NOTHING
    if run["conclusion"] == "success":
        done = update(api, number, body_of(api, run))
    print(f"#{number}: {done}")
    return 0


def pull_request_of(api: Api, run: dict[str, Any]) -> int | None:
    """The open pull request that a run was for, by its head; None where there is none, or more than one.

    The event lists none for a fork, and a fork's commit is not found by its hash alone.
    """
    repository = run.get("head_repository")
    if run["event"] != "pull_request" or not repository:
        return None
    head = urllib.parse.quote(f"{repository['owner']['login']}:{run['head_branch']}", safe="")
    found = [
        pull["number"]
        for pull in api.call("GET", f"/pulls?state=open&per_page=100&head={head}")
        if pull["head"]["sha"] == run["head_sha"]
        and (pull["head"]["repo"] or {}).get("id") == repository["id"]
    ]
    return int(found[0]) if len(found) == 1 else None


def body_of(api: Api, run: dict[str, Any]) -> str | None:
    """The comment for a run that succeeded; None where nothing changed."""
    try:
        text = review_of(api, run)
    except Refused as refusal:
        return f"{MARKER}\nThe review of the newest commit cannot be shown: {refusal}."
    return f"{MARKER}\n{inert(text)}" if text.strip() else None


def review_of(api: Api, run: dict[str, Any]) -> str:
    """The text of a run's artefact. Raises Refused for anything but one small text file."""
    listed = api.call("GET", f"/actions/runs/{int(run['id'])}/artifacts?name={ARTEFACT}&per_page=100")
    found = [item for item in listed["artifacts"] if item["name"] == ARTEFACT and not item["expired"]]
    if len(found) != 1:
        raise Refused("its run left no review")
    if found[0]["size_in_bytes"] > MAX_ZIP_BYTES:
        raise Refused("its artefact is too large")
    return text_in(api.download(f"/actions/artifacts/{int(found[0]['id'])}/zip"))


def text_in(archive: bytes) -> str:
    """The one text file of a zip archive. Raises Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            members = files.infolist()
            if [member.filename for member in members] != [FILE] or members[0].flag_bits & 1:
                raise Refused("its artefact holds other files")
            with files.open(members[0]) as stream:
                return read_within(stream, MAX_BYTES).decode("utf-8")
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise Refused("its artefact is damaged") from error
    except UnicodeDecodeError as error:
        raise Refused("its artefact is not text") from error


def inert(text: str) -> str:
    """Markdown that is only looked at: no link, mention, image or HTML, and it fits into a comment.

    What `finetune diff` writes keeps its form. Anything else is shown whole, as plain text.
    """
    lines = UNSAFE.sub("\ufffd", text.replace("\r\n", "\n")).split("\n")
    lines = [line for line in lines if not OWN_MARKER.fullmatch(line)]
    kept: list[str] = []
    size, fence = 0, ""
    for line in lines:
        size += len(line) + 1
        if size > MAX_CHARACTERS:
            kept += [fence, "", "The rest is left out here; `finetune diff` shows it."]
            return "\n".join(kept)
        kept.append(line)
        if fence:
            if line == fence:
                fence = ""
            elif closes(line, fence):
                return as_plain_text(lines)
        elif opened := FENCE.fullmatch(line):
            fence = opened.group(1)
        elif not any(pattern.fullmatch(line) for pattern in PLAIN_LINES):
            return as_plain_text(lines)
    return "\n".join([*kept, fence] if fence else kept)


def closes(line: str, fence: str) -> bool:
    """Whether a line ends a fence although it is written otherwise.

    https://spec.commonmark.org/0.31.2/#fenced-code-blocks (2024-01)
    """
    bare = line.strip(" \t")
    return len(bare) >= len(fence) and set(bare) == {"`"}


def as_plain_text(lines: list[str]) -> str:
    """Everything inside one fence that nothing in it can close."""
    content = re.sub("`{4,}", "```", "\n".join(lines))[:MAX_CHARACTERS]
    said = "This is not in the form that `finetune diff` writes, so it is shown as plain text."
    return f"{said}\n\n````text\n{content}\n````"


def update(api: Api, number: int, body: str | None) -> str:
    """Create, change or delete the comment, whichever is needed."""
    first, *others = [*own_comments(api, number), None]
    for comment in others:
        if comment is not None:
            api.call("DELETE", f"/issues/comments/{int(comment['id'])}")
    if body is None:
        if first is None:
            return "nothing changed, and there is no comment"
        api.call("DELETE", f"/issues/comments/{int(first['id'])}")
        return "nothing changed any more; deleted the comment"
    if first is None:
        api.call("POST", f"/issues/{number}/comments", {"body": body})
        return "posted a comment"
    if first["body"] == body:
        return "the comment says so already"
    api.call("PATCH", f"/issues/comments/{int(first['id'])}", {"body": body})
    return "updated the comment"


def note_failure(api: Api, number: int) -> str:
    """Say in the comment, where there is one, that it is out of date."""
    if not own_comments(api, number):
        return NOTHING
    said = "`finetune diff` did not finish for the newest commit; its checks say why."
    return update(api, number, f"{MARKER}\n{said}")


def own_comments(api: Api, number: int) -> list[dict[str, Any]]:
    """Comments that this script wrote: anybody can write its marker, but not under its name."""
    found = []
    for page in range(1, MAX_PAGES + 1):
        listed = api.call("GET", f"/issues/{number}/comments?per_page=100&page={page}")
        found += [
            item
            for item in listed
            if (item["user"] or {}).get("login") == AUTHOR and (item["body"] or "").startswith(MARKER)
        ]
        if len(listed) < 100:
            break
    return found


def read_within(stream: Any, limit: int) -> bytes:
    """Read a stream to its end. Raises Refused beyond a limit."""
    content: bytes = stream.read(limit + 1)
    if len(content) > limit:
        raise Refused("it is too large")
    return content


if __name__ == "__main__":
    sys.exit(main())
