"""Which model an alias stands for, and stood for: a committed file that entries are only added to."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runner.canonical import sha256_of, write_atomically
from runner.errors import StaleLockError, UsageError
from runner.lock.evaluation import LockedEvaluation, evaluation_value, parse_evaluation
from runner.project import Project
from runner.recipe.yaml import parse_yaml
from runner.recipe.yaml_text import yaml_text
from runner.schema import violations

FILE = "aliases.yaml"
ALIAS = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
HEAD = """\
# Written by `finetune promote` and `finetune rollback`. Commit it; entries are only added at the end.
aliases_version: 1
entries:
"""
LINK_CHARACTERS = 16
SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """An alias came to stand for a model at a time (UTC, `2026-11-01T12:00:00Z`), with what spoke for it.

    `after` is the link to the entry before: a part of its hash, so that a change of the past shows. `commit`
    is the git commit that holds the lockfile with the job.
    """

    alias: str
    action: Literal["promote", "rollback"]
    at: str
    model: str
    provider: str
    recipe: str
    run: str
    job: str
    training_file: str
    after: str | None = None
    commit: str | None = None
    reason: str | None = None
    evaluation: LockedEvaluation | None = None

    @property
    def link(self) -> str:
        """What the next entry names this one by."""
        return sha256_of(_value(self))[:LINK_CHARACTERS]


def aliases_path(project: Project) -> Path:
    """The file of a project's aliases."""
    return project.root / FILE


def read_aliases(path: Path) -> tuple[Promotion, ...]:
    """The entries in order; none where there is no file. Raises StaleLockError for a file that was edited."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    if content.startswith(b"<<<<<<< ") or b"\n<<<<<<< " in content:
        raise StaleLockError(
            f"{path.name}: found merge markers: two branches changed what is served. Keep the entries of one "
            "side and promote the other side's model again, if it is to serve."
        )
    document, issues = parse_yaml(content, path.name)
    found = violations("aliases", document.value) if document is not None else []
    if document is not None:
        issues = [*issues, *(document.issue(each.path, each.message, at_key=each.at_key) for each in found)]
    if document is None or issues:
        problems = [str(issue) for issue in issues[:SHOWN_PROBLEMS]]
        if len(issues) > SHOWN_PROBLEMS:
            problems.append(f"{path.name}: {len(issues) - SHOWN_PROBLEMS} more problems.")
        raise StaleLockError("\n".join([*problems, f"{path.name}: not usable. Restore it with git."]))
    promotions = tuple(map(_promotion, document.value["entries"] or ()))
    _check_chain(promotions, path.name)
    return promotions


def append_alias(path: Path, promotions: Sequence[Promotion], new: Promotion) -> None:
    """Write the file with one more entry; what stands there keeps its bytes.

    Raises UsageError where the new entry is older than the last one: this machine's clock is wrong, or the
    last one's was.
    """
    if promotions and new.at < promotions[-1].at:
        raise UsageError(
            f"it is {new.at} by this machine's clock, before the last entry of {path.name} "
            f"({promotions[-1].at}). Set the clock."
        )
    before = path.read_text(encoding="utf-8") if promotions else HEAD
    write_atomically(path, (before + yaml_text([_value(new)], sort_keys=False)).encode())


def stood_for(promotions: Iterable[Promotion], alias: str) -> list[Promotion]:
    """The promotions of an alias that rollbacks have not taken back, the one in force last."""
    stack: list[Promotion] = []
    for promotion in promotions:
        if promotion.alias != alias:
            continue
        if promotion.action == "rollback":
            # The entry below is the same model with its old evidence; this one says since when.
            del stack[-2:]
        stack.append(promotion)
    return stack


def in_force(promotions: Sequence[Promotion], at: str | None = None) -> dict[str, Promotion]:
    """What each alias stands for, or stood for at a time."""
    past = [promotion for promotion in promotions if at is None or promotion.at <= at]
    return {promotion.alias: promotion for promotion in past}


class AliasBook:
    """The aliases of a project as they are now; the file is read again when it changed."""

    def __init__(self, project: Project) -> None:
        self.path = aliases_path(project)
        self._seen: tuple[int, int, int] | None = None
        self._current: dict[str, Promotion] = {}

    def find(self, name: str) -> Promotion | None:
        """What an alias stands for; None for a name that is none. Raises StaleLockError."""
        if ALIAS.fullmatch(name) is None:
            return None
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            self._current = in_force(read_aliases(self.path))
            self._seen = seen
        return self._current.get(name)


def served_as(name: str, provider: str | None, project: Project, usual: str) -> tuple[str, str]:
    """The provider and the model that a name means: what an alias stands for, unless a provider is named.

    Any other name is a model of the `usual` provider, which says so if it has none. Raises StaleLockError.
    """
    promotion = AliasBook(project).find(name) if provider is None else None
    return (promotion.provider, promotion.model) if promotion else (provider or usual, name)


def _check_chain(promotions: Sequence[Promotion], name: str) -> None:
    before: Promotion | None = None
    for number, promotion in enumerate(promotions, start=1):
        expected = before.link if before else None
        if promotion.after != expected:
            where = f"{name}: entry {number} ({promotion.alias}, {promotion.at})"
            raise StaleLockError(
                f"{where}: found after {promotion.after or 'nothing'}, expected {expected or 'nothing'}: an "
                "entry before it was changed, removed or merged in. Restore the file with git."
            )
        before = promotion


def _value(promotion: Promotion) -> dict[str, Any]:
    value = {
        "alias": promotion.alias,
        "action": promotion.action,
        "at": promotion.at,
        "model": promotion.model,
        "provider": promotion.provider,
        "recipe": promotion.recipe,
        "run": promotion.run,
        "job": promotion.job,
        "training_file": promotion.training_file,
        "commit": promotion.commit,
        "evaluation": evaluation_value(promotion.evaluation) if promotion.evaluation else None,
        "reason": promotion.reason,
        "after": promotion.after,
    }
    return {key: item for key, item in value.items() if item is not None}


def _promotion(value: Mapping[str, Any]) -> Promotion:
    rest = {key: item for key, item in value.items() if key != "evaluation"}
    evaluation = parse_evaluation(value["evaluation"]) if "evaluation" in value else None
    return Promotion(**rest, evaluation=evaluation)
