"""Exit codes, messages and manners of the command line."""

import errno
import gzip
import json
import os
import re
from pathlib import Path

import pytest

from runner.cli.commands import COMMANDS, SECTIONS
from tests.cli.conftest import Call


def test_help_lists_every_command(call: Call) -> None:
    outcome = call("--help")

    assert 0 == outcome.code
    assert [] == [name for name in COMMANDS if f"\n  {name} " not in outcome.out]


def test_every_command_stands_in_one_section() -> None:
    """The same as in the README's table."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = readme.split("| **write** |", 1)[1].split("## Install", 1)[0]
    rows = re.split(r"\| \*\*.*\*\* \| \|", table)
    listed = [re.findall(r"`([a-z-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", row, re.M))) for row in rows]

    assert [sorted(names.split()) for names in SECTIONS.values()] == [sorted(names) for names in listed]
    assert sorted(COMMANDS) == sorted(name for names in SECTIONS.values() for name in names.split())


@pytest.mark.parametrize(("arguments", "title"), [([], "Look after:"), (["files"], "Commands:")])
def test_a_group_without_a_command_shows_its_help(call: Call, arguments: list[str], title: str) -> None:
    outcome = call(*arguments)

    assert (2, "") == (outcome.code, outcome.out)
    assert call(*arguments, "--help").out == outcome.err
    assert f"\n{title}\n" in outcome.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(call: Call, name: str) -> None:
    outcome = call(name, "--help")

    assert 0 == outcome.code
    assert outcome.out.startswith(f"Usage: finetune {name}")


def test_a_misspelt_command_is_a_usage_error(call: Call) -> None:
    outcome = call("validat")

    assert (
        2,
        "Usage: finetune [OPTIONS] COMMAND [ARGS]...\n"
        "error: no command 'validat'. Did you mean 'validate'?\n",
    ) == (outcome.code, outcome.err)


def test_a_valid_recipe_is_confirmed_with_its_hash(call: Call, local_recipe: Path) -> None:
    outcome = call("validate", local_recipe)

    assert (0, "faq.yaml: valid (sha256 ", "") == (outcome.code, outcome.out[:24], outcome.err)


def test_the_only_recipe_of_a_folder_needs_no_name(call: Call, local_recipe: Path) -> None:

    assert 0 == call("validate").code


def test_several_recipes_are_listed(call: Call, recipe: Path) -> None:
    recipe.with_name("other.yaml").write_text(recipe.read_text())
    outcome = call("validate")

    assert (2, "error: found several recipes (faq.yaml, other.yaml). Name the one to use.\n") == (
        outcome.code,
        outcome.err,
    )


def test_an_unknown_provider_is_named_with_the_known(call: Call, recipe: Path) -> None:
    outcome = call("validate", recipe)

    assert (
        1,
        "faq.yaml:16:13: $.training.provider: found no provider 'fake'. "
        "Known here: azure, bedrock, crusoe, litellm, local, nebius, openai.\n",
    ) == (outcome.code, outcome.err)


def test_problems_are_json_when_asked(call: Call, recipe: Path) -> None:
    outcome = call("validate", recipe, "--json")
    message = "found no provider 'fake'. Known here: azure, bedrock, crusoe, litellm, local, nebius, openai."

    assert 1 == outcome.code
    assert {
        "ok": False,
        "error": {
            "exit_code": 1,
            "message": f"faq.yaml:16:13: $.training.provider: {message}",
            "issues": [
                {
                    "file": "faq.yaml",
                    "line": 16,
                    "column": 13,
                    "path": "$.training.provider",
                    "severity": "error",
                    "message": message,
                }
            ],
        },
    } == outcome.data


def test_a_missing_recipe_is_one_sentence(call: Call, project: Path) -> None:
    outcome = call("validate", project / "absent.yaml")

    assert (1, f"error: {project / 'absent.yaml'}: not found. Give the path of a recipe file.\n") == (
        outcome.code,
        outcome.err,
    )


@pytest.mark.parametrize(
    ("number", "file", "message"),
    [
        (
            errno.ENOSPC,
            None,
            "No space left on device. "
            "Free some space, with `finetune gc` for example, and repeat the command.",
        ),
        (
            errno.EROFS,
            "a/.finetune",
            "a/.finetune: Read-only file system. Work in a copy of the project that can be written to.",
        ),
        (errno.EIO, "a", "a: Input/output error."),
    ],
)
def test_a_disk_that_refuses_is_no_bug(
    call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch, number: int, file: str | None, message: str
) -> None:
    def refused(*arguments: object) -> None:
        raise OSError(number, os.strerror(number), file)

    monkeypatch.setattr("runner.validation.validate", refused)
    outcome = call("validate", recipe)

    assert (1, "", f"error: {message}\n") == (outcome.code, outcome.out, outcome.err)


def test_a_fault_of_ours_leaves_a_log(call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise AssertionError("BUG: on purpose")

    monkeypatch.setattr("runner.validation.validate", broken)
    outcome = call("validate", recipe)
    log = Path(outcome.err.rsplit("with ", 1)[1].strip().rstrip("."))

    assert 3 == outcome.code
    assert outcome.err.startswith("bug: AssertionError: BUG: on purpose\n")
    assert "Traceback" in log.read_text()
    log.unlink()

    outcome = call("validate", recipe, "--json")
    message = outcome.err.removeprefix("bug: ").removesuffix("\n")
    assert (3, {"ok": False, "error": {"exit_code": 3, "message": message}}) == (outcome.code, outcome.data)
    Path(message.rsplit("with ", 1)[1].rstrip(".")).unlink()


def test_an_interruption_is_data_for_programs(
    call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runner.validation.validate", interrupted)
    outcome = call("validate", recipe, "--json")

    assert (130, "interrupted") == (outcome.code, outcome.err.strip())
    assert {"ok": False, "error": {"exit_code": 130, "message": "interrupted"}} == outcome.data


def test_a_locale_that_cannot_write_a_file_name_is_no_bug(
    call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under LC_ALL=C with PYTHONUTF8=0."""

    def refused(*arguments: object) -> None:
        "data/가이드.json".encode("ascii")

    monkeypatch.setattr("runner.validation.validate", refused)
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "ascii")
    outcome = call("validate", recipe)

    assert (
        1,
        "error: found '가이드' in a file name, expected characters of ascii: that is what this locale writes "
        "file names in. Set PYTHONUTF8=1 and repeat the command.\n",
    ) == (outcome.code, outcome.err)


def test_schema_prints_valid_json(call: Call) -> None:
    assert "finetune-runner recipe" == json.loads(call("schema").out)["title"]
    assert "finetune-runner lockfile" == json.loads(call("schema", "lockfile").out)["title"]


def test_build_leaves_files_where_asked(call: Call, local_recipe: Path) -> None:
    recipe = local_recipe
    recipe.write_text(recipe.read_text() + "split:\n  validation: 0.2\n")
    outcome = call("build", recipe, "--out", recipe.parent / "out")
    lines = [(recipe.parent / "out" / name).read_bytes() for name in ("train.jsonl", "validation.jsonl")]

    assert 0 == outcome.code
    assert 12 == sum(content.count(b"\n") for content in lines)
    assert b'{"messages":[{"role":"user","content":"What is 0?"},' in lines[0] + lines[1]


def test_preview_shows_conversations_with_their_origin(call: Call, local_recipe: Path) -> None:
    outcome = call("preview", local_recipe, "-n", "1")

    assert "faq.jsonl: row 1, key 0\n  user: What is 0?\n  assistant: It is number 0.\n" == outcome.out


def test_init_writes_a_recipe_that_runs(call: Call, recipe: Path) -> None:
    recipe.unlink()
    outcome = call("init", recipe.with_name("faq.jsonl"))

    assert (0, f"wrote {recipe}\n") == (outcome.code, outcome.out)
    assert [
        "  question from question, named like a question: in 12 of 12 sampled records, such as 'What is 0?'",
        "  answer from answer, named like an answer: in 12 of 12 sampled records, such as 'It is number 0.'",
        "  key from id, another value in every record: in 12 of 12 sampled records, such as '0'",
    ] == outcome.err.splitlines()[:3]
    assert recipe.read_text().startswith("# yaml-language-server: $schema=.finetune/recipe.schema.json\n")
    assert (recipe.parent / ".finetune" / "recipe.schema.json").is_file()
    assert 0 == call("build", recipe).code
    assert 2 == call("init", recipe.with_name("faq.jsonl")).code


def test_a_hub_model_is_refused_before_anything_is_sent(call: Call, local_recipe: Path) -> None:
    local_recipe.write_text(local_recipe.read_text().replace("tiny-1", "owner/model"))
    outcome = call("plan", local_recipe)

    assert 1 == outcome.code
    assert (
        "a run would stop here: the model owner/model is not in this machine's Hugging Face cache"
        in outcome.err
    )


def test_init_finds_the_encoding_of_an_old_export(call: Call, project: Path) -> None:
    rows = "".join(f"{number},제목 {number},본문입니다 {number}\n" for number in range(12))
    (project / "old.csv").write_bytes(f"번호,제목,내용\n{rows}".encode("cp949"))
    outcome = call("init", project / "old.csv")

    assert 0 == outcome.code, outcome.err
    assert "    encoding: cp949\nkey: 번호\n" in (project / "old.yaml").read_text()
    assert 0 == call("build", project / "old.yaml").code


@pytest.mark.parametrize(
    ("data", "recipe"), [("a.yaml", "a.recipe.yaml"), ("a.yml", "a.yaml"), ("b.jsonl.gz", "b.yaml")]
)
def test_init_names_the_recipe_after_the_data(call: Call, project: Path, data: str, recipe: str) -> None:
    """And never writes over data that is YAML itself."""
    content = "".join(f'- {{"id": {n}, "question": "q{n}", "answer": "a{n}"}}\n' for n in range(12)).encode()
    lines = b"".join(line[2:] for line in content.splitlines(keepends=True))
    (project / data).write_bytes(gzip.compress(lines) if data.endswith(".gz") else content)

    outcome = call("init", project / data)

    assert (0, f"wrote {project / recipe}\n") == (outcome.code, outcome.out), outcome.err
    assert 0 == call("build", project / recipe).code
    refused = call("init", project / data, "--out", project / data, "--force")
    assert 2 == refused.code


def test_init_makes_the_folder_of_a_recipe(
    call: Call, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the first command of a new project."""
    monkeypatch.chdir(project)
    (project / "data").mkdir()
    (project / "data" / "faq.csv").write_text("question,answer\n" + "What is it?,A kettle.\n" * 12)
    outcome = call("init", "data/faq.csv", "--out", "recipes/faq.yaml")

    assert (0, "wrote recipes/faq.yaml\n") == (outcome.code, outcome.out)
    assert "  - path: ../data/faq.csv\n" in (project / "recipes" / "faq.yaml").read_text().replace('"', "")
    assert 0 == call("validate", "recipes/faq.yaml").code


def test_init_of_a_folder_is_one_sentence(call: Call, project: Path) -> None:
    outcome = call("init", ".")

    assert (1, "error: .: found a folder, expected a data file. Give one of its files.\n") == (
        outcome.code,
        outcome.err,
    )


def test_init_says_commands_that_can_be_typed(call: Call, project: Path) -> None:
    data = project / "질문 답.csv"
    data.write_text(
        "질문,답\n" + "".join(f"{n}번 색은 무엇인가요?,파랑\n" for n in range(12)), encoding="utf-8"
    )
    outcome = call("init", data)

    assert [
        "  question from 질문, named like a question: in 12 of 12 sampled records, such as "
        "'0번 색은 무엇인가요?'",
        "  answer from 답, named like an answer: in 12 of 12 sampled records, such as '파랑'",
        f"See what it makes: `finetune preview '{project}/질문 답.yaml'`",
    ] == outcome.err.splitlines()
    assert "# finetune run '질문 답.yaml'\n" in (project / "질문 답.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["preview", "build", "plan"])
def test_missing_sources_are_named_with_their_lines(call: Call, local_recipe: Path, command: str) -> None:
    """All of them at once."""
    text = local_recipe.read_text().replace("- path: faq.jsonl", "- path: fqa.jsonl\n  - path: other/*.csv")
    local_recipe.write_text(text)
    outcome = call(command, local_recipe)

    assert (
        1,
        "faq.yaml:4:11: $.sources[0].path: fqa.jsonl: found no such file, expected one. "
        "Did you mean 'faq.jsonl'?\n"
        "faq.yaml:5:11: $.sources[1].path: other/*.csv: found no file that matches, expected at least one. "
        "Correct the path or pattern.\n",
    ) == (outcome.code, outcome.err)


def test_a_recipe_that_cannot_be_read_is_no_usage_error(
    call: Call, local_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.access", lambda *arguments, **options: False)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    outcome = call("validate", local_recipe)

    assert (1, f"error: {local_recipe}: cannot be read: Permission denied.\n") == (outcome.code, outcome.err)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "a\nb.jsonl",
            "error: a\\nb.jsonl: found a file name with control or hidden characters, expected visible ones. "
            "Rename the file.\n",
        ),
        (
            "a\u202eb.jsonl",
            "error: a\\u202eb.jsonl: found a file name with control or hidden characters, expected visible "
            "ones. Rename the file.\n",
        ),
        (
            "a[1].jsonl",
            "error: a[1].jsonl: found a file name with *, ? or [, which make a pattern of a path in a "
            "recipe. Rename the file.\n",
        ),
    ],
)
def test_init_refuses_a_name_that_a_recipe_cannot_hold(
    call: Call, local_recipe: Path, name: str, message: str
) -> None:
    """And leaves no recipe behind."""
    folder = local_recipe.parent
    (folder / name).write_bytes((folder / "faq.jsonl").read_bytes())
    outcome = call("init", name)

    assert (1, message) == (outcome.code, outcome.err)
    assert ["faq.yaml"] == [path.name for path in folder.glob("*.yaml")]
