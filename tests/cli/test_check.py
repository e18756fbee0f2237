"""`check` and `explain` as a person uses them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Call

ADDRESS = "minji.kim@dewlatch.co.kr"


@pytest.fixture
def dirty(local_recipe: Path) -> Path:
    """A recipe with an address in record 3 and a decomposed syllable in record 4."""
    data = local_recipe.parent / "faq.jsonl"
    lines = data.read_text().splitlines()
    for number, answer in ((3, f"Ask {ADDRESS}."), (4, "\u1109\u1165\u110b\u116e\u11af")):
        lines[number] = json.dumps({**json.loads(lines[number]), "answer": answer}, ensure_ascii=False)
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return local_recipe


def test_a_clean_recipe_passes(local_recipe: Path, call: Call) -> None:
    outcome = call("check")

    assert (0, "faq.yaml: nothing found in 12 examples\n") == (outcome.code, outcome.out)


def test_findings_are_grouped_and_masked(dirty: Path, call: Call) -> None:
    outcome = call("check", dirty)

    assert 0 == outcome.code
    assert ADDRESS not in outcome.out
    assert outcome.out == (
        "faq.yaml: 2 warnings in 12 examples\n"
        "  warning FT201 decomposed-characters, once: faq.jsonl: row 5\n"
        "    message 2 (assistant) has '서' as 2 characters instead of one (Unicode NFD), expected NFC.\n"
        "    Repair it with `finetune check --fix`.\n"
        "  warning FT303 email-address, once: faq.jsonl: row 4\n"
        "    message 2 (assistant) has the e-mail address of a person (mi***.***@********.*…), "
        "expected none.\n"
        "    Remove it, write an invented one at example.com, or ignore it with a reason.\n"
        "\n"
        "`finetune explain FT201` says more.\n"
    )


def test_levels_and_suppressions_of_the_recipe_count_everywhere(dirty: Path, call: Call) -> None:
    """An error refuses build, plan and run alike; a profile may lay its own levels over it."""
    text = dirty.read_text()
    checks = (
        "checks:\n  levels: {FT201: error}\n  ignore: [{code: FT303, records: ['3'], reason: she agreed}]\n"
    )
    dirty.write_text(f"{text}{checks}profiles: {{old: {{checks: {{levels: {{FT201: off}}}}}}}}\n")
    checked = call("check", "--json")

    assert 1 == checked.code
    [one] = checked.data["checked"]
    assert [("FT201", "error")] == [(item["code"], item["severity"]) for item in one["findings"]]
    assert [{"code": "FT303", "reason": "she agreed", "count": 1}] == one["ignored"]
    assert [1, 1, 1] == [call(name).code for name in ("build", "plan", "run")]
    assert [0, 0] == [call(name, "--profile", "old").code for name in ("check", "build")]


def test_a_suppression_that_nothing_needs_is_found(dirty: Path, call: Call) -> None:
    checks = "checks: {ignore: [{code: FT303, where: \"question == 'x'\", reason: gone}]}\n"
    dirty.write_text(dirty.read_text() + checks)

    assert "  warning FT901 unused-suppression, once\n" in call("check").out


def test_old_findings_are_adopted_and_new_ones_shown(dirty: Path, call: Call) -> None:
    written = call("check", "--write-baseline")
    baseline = dirty.parent / "faq.baseline.json"

    assert (
        0,
        "wrote faq.baseline.json (2 findings)\n"
        "Name it in faq.yaml: `checks: {baseline: faq.baseline.json}`.\n",
    ) == (written.code, written.err)
    dirty.write_text(dirty.read_text() + "checks: {baseline: faq.baseline.json, levels: {FT303: error}}\n")
    assert "faq.yaml: nothing found in 12 examples\n  in the baseline: 2 findings\n" == call("check").out
    assert 0 == call("build").code

    data = dirty.parent / "faq.jsonl"
    data.write_text(data.read_text().replace("It is number 7.", f"Ask {ADDRESS}."), encoding="utf-8")
    outcome = call("check")
    assert 1 == outcome.code
    assert "error FT303 email-address, once: faq.jsonl: row 8\n" in outcome.out
    assert 1 == call("build").code
    again = call("check", "--baseline", baseline, "--write-baseline", "--json")
    assert (0, "wrote faq.baseline.json (3 findings)\n") == (again.code, again.err)
    assert {"ok": True, "baselines": [{"file": "faq.baseline.json", "findings": 3}]} == again.data
    assert 0 == call("check").code


def test_a_baseline_outside_the_project_is_refused(dirty: Path, call: Call) -> None:
    dirty.write_text(dirty.read_text() + "checks: {baseline: ../b.json}\n")

    assert (
        "faq.yaml:20:20: $.checks.baseline: found a path outside the project, expected one inside it. "
        "Move the file into the project.\n"
    ) == call("validate").err


def test_a_check_that_hosts_enforce_cannot_be_suppressed(dirty: Path, call: Call) -> None:
    dirty.write_text(dirty.read_text() + "checks: {ignore: [{code: FT103, records: ['1'], reason: x}]}\n")

    assert (
        "faq.yaml:20:26: $.checks.ignore[0].code: found FT103, which hosted services enforce, expected a "
        "check of ours alone. Leave the records out with `where`.\n"
    ) == call("validate").err


def test_a_check_without_its_package_says_how_to_install_it(
    dirty: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never skipped in silence: what passes here would fail elsewhere."""
    monkeypatch.setattr("runner.dataset.checks.settings.find_spec", lambda name: None)
    dirty.write_text(dirty.read_text() + "checks: {levels: {FT302: off, FT305: info}}\n")

    assert (
        "faq.yaml:20:38: $.checks.levels.FT305: found a check that needs a package which is not installed, "
        "expected it. pip install 'finetune-runner[checks]'\n"
    ) == call("validate").err


def test_a_failing_test_stops_validate_and_check(local_recipe: Path, call: Call) -> None:
    tests = (
        "tests:\n"
        "  - name: asks\n"
        "    record: {id: 1, question: Hi, answer: Hello.}\n"
        "    expect: {messages: [{role: user, content: Hi}, {role: assistant, content: Hello!}]}\n"
    )
    local_recipe.write_text(local_recipe.read_text() + tests)
    said = (
        "faq.yaml:21:5: $.tests[0]: the test 'asks' failed: found other messages than expected (- expected, "
        "+ found). Correct the recipe or the test.\n"
        "      user: Hi\n"
        "    - assistant: Hello!\n"
        "    + assistant: Hello.\n"
    )

    assert (1, said) == (call("validate").code, call("validate").err)
    assert 1 == call("check").code
    local_recipe.write_text(local_recipe.read_text().replace("Hello!", "Hello."))
    assert 0 == call("validate").code
    assert "faq.yaml: nothing found in 12 examples\n  1 test passed\n" == call("check").out


def test_problems_of_records_are_reported_in_every_format(local_recipe: Path, call: Call) -> None:
    local_recipe.write_text(local_recipe.read_text().replace("answer: answer", "answer: anwser"))
    outcome = call("check", "--format", "github")

    assert 1 == outcome.code
    assert outcome.out.startswith(
        "::error file=faq.jsonl,line=1,title=finetune check::field 'answer': found nothing at 'anwser'"
    )
    assert 1 == call("check", "--format", "sarif").code
    assert 1 == call("check", "--format", "junit").code


def test_a_training_file_is_checked_as_it_is(project: Path, call: Call) -> None:
    lines = [
        {"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}."}]}
        for n in range(10)
    ]
    lines[2]["messages"][1]["weight"] = 2  # type: ignore[assignment]
    lines[3] = {"messages": []}
    path = project / "train.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    outcome = call("check", path)

    assert (1, 9) == (outcome.code, json.loads(call("check", path, "--json").out)["checked"][0]["examples"])
    assert outcome.out == (
        "train.jsonl: 1 problem, 2 errors in 9 examples\n"
        "  train.jsonl: row 4: found no `messages`, expected a list of messages. "
        "Write one conversation per line.\n"
        "  error FT101 too-few-examples, once\n"
        "    found 9 training examples, expected at least 10.\n"
        "    Add records, or loosen `where`.\n"
        "  error FT116 wrong-weight, once: train.jsonl: row 3\n"
        "    message 2 (assistant) has the weight 2, expected 0 or 1, and on assistant messages alone.\n"
        "    Correct it, or leave it out.\n"
        "\n"
        "`finetune explain FT101` says more.\n"
    )


@pytest.mark.parametrize("identity", [{"a": 1}, ["a"], 7])
def test_a_call_that_has_no_text_for_an_id_is_a_finding(project: Path, call: Call, identity: object) -> None:
    function = {"name": "f", "arguments": "{}"}
    asked = {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]}
    messages = [
        {"role": "user", "content": "a?"},
        asked,
        {"role": "tool", "tool_call_id": identity, "content": "1"},
        {"role": "assistant", "content": "b"},
    ]
    (project / "train.jsonl").write_text(json.dumps({"messages": messages}) + "\n")
    outcome = call("check", project / "train.jsonl")

    assert 1 == outcome.code
    assert "message 3 (tool) answers no call of a tool before it" in outcome.out


@pytest.mark.parametrize(
    ("model", "warning"),
    [
        ("gpt-4.1-mini-2025-04-14", ""),
        (
            "gpt-4.1-mini",
            "warning: openai's entry has no model 'gpt-4.1-mini', so no example is too long. "
            "Did you mean 'gpt-4.1-mini-2025-04-14'?\n",
        ),
    ],
)
def test_a_model_of_unknown_length_is_told(project: Path, call: Call, model: str, warning: str) -> None:
    (project / "train.jsonl").write_text("")

    assert warning == call("check", project / "train.jsonl", "--model", model).err


def test_the_name_of_a_training_file_is_no_pattern(project: Path, call: Call) -> None:
    (project / "train[1]*.jsonl").write_text("3\n")

    assert "  train[1]*.jsonl: row 1: found 3, expected an object. Make it one.\n" in (
        call("check", project / "train[1]*.jsonl").out
    )
    assert (f"error: {project / 'none.jsonl'}: not found. Give the path of a training file.\n") == (
        call("check", project / "none.jsonl").err
    )


def test_fix_repairs_what_is_safe_in_a_copy(dirty: Path, call: Call) -> None:
    data = dirty.parent / "faq.jsonl"
    before = data.read_bytes()
    outcome = call("check", "--fix")

    assert 0 == outcome.code
    assert "FT201" not in outcome.out
    assert before == data.read_bytes()
    assert "path: faq.fixed.jsonl" in dirty.read_text()
    assert outcome.err == (
        "--- faq.yaml\n+++ faq.yaml\n@@ -3,3 +3,3 @@\n sources:\n-  - path: faq.jsonl\n"
        "+  - path: faq.fixed.jsonl\n key: id\n"
        "--- faq.jsonl\n+++ faq.fixed.jsonl\n@@ 5 @@\n"
        '-{"id": 4, "question": "What is 4?", "answer": "\\u1109\\u1165\\u110b\\u116e\\u11af"}\n'
        '+{"id": 4, "question": "What is 4?", "answer": "서울"}\n'
        "wrote faq.yaml\nwrote faq.fixed.jsonl\n"
    )
    assert "faq.yaml: nothing to repair\n" == call("check", "--fix").err


def test_fix_changes_data_in_place_only_if_git_has_it(dirty: Path, call: Call) -> None:
    data = dirty.parent / "faq.jsonl"
    before = data.read_bytes()
    git("init", "--quiet")
    git("add", "faq.yaml")
    git("commit", "--quiet", "-m", "recipe")

    assert (
        "not repaired: faq.jsonl: git does not have it as it is; commit it first.\n"
        in call("check", "--fix", "--in-place").err
    )
    assert before == data.read_bytes()
    git("add", "faq.jsonl")
    git("commit", "--quiet", "-m", "data")
    assert call("check", "--fix", "--in-place").err.endswith("wrote faq.jsonl\n")
    assert "서울" in data.read_text(encoding="utf-8")
    assert "path: faq.jsonl" in dirty.read_text()


def test_fix_trims_a_field_in_the_recipe(local_recipe: Path, call: Call) -> None:
    data = local_recipe.parent / "faq.jsonl"
    data.write_text(data.read_text().replace("number 7.", "number 7. "))

    assert "info FT206 outer-white-space, once: faq.jsonl: row 8\n" in call("check").out
    outcome = call("check", "--fix")
    assert "faq.yaml: nothing found in 12 examples\n" == outcome.out
    assert "  answer: {path: answer, trim: true}\n" in local_recipe.read_text()


def test_a_repair_that_would_stop_the_build_is_not_made(local_recipe: Path, call: Call) -> None:
    """A field that is text here and a number there cannot be trimmed."""
    data = local_recipe.parent / "faq.jsonl"
    text = data.read_text().replace("number 7.", "number 7. ").replace('"It is number 8."', "8")
    data.write_text(text)
    recipe = local_recipe.read_text()
    outcome = call("check", "--fix")

    assert 1 == outcome.code
    assert "error: the repaired recipe would not build, so nothing was changed." in outcome.err
    assert recipe == local_recipe.read_text()
    assert [] == list(local_recipe.parent.glob(".fixing*"))


def git(*arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], check=True)


def test_explain_shows_one_check_by_code_or_name(call: Call) -> None:
    outcome = call("explain", "ft112")

    assert outcome.out == (
        "FT112 no-key (warning)\n\n"
        "The recipe names what identifies a record.\n\n"
        "Why: Split, diff, baselines and suppressions follow the key. "
        "Without one they follow the content.\n\n"
        "What it says: the recipe has no `key`, so an edited record counts as a new one and may change "
        "sides.\n"
        "  Name the field that identifies a record.\n\n"
        "Found:\n  a recipe without `key`\n\n"
        "Clean:\n  `key: url`\n"
    )
    assert outcome.out == call("explain", "no-key").out


def test_explain_lists_all_or_asks_about_a_near_one(call: Call) -> None:
    listed = call("explain").out.splitlines()

    code, level, name, *text = listed[0].split()
    assert ("FT101", "error", "too-few-examples") == (code, level, name)
    assert "The training file has as many examples as the host asks for." == " ".join(text)
    assert len(listed) == len(call("explain", "--json").data["checks"])
    outcome = call("explain", "FT1103")
    assert (2, "error: found no check 'FT1103'. Did you mean 'FT113'?\n") == (outcome.code, outcome.err)


def test_files_of_pairs_and_tasks_are_checked_as_they_are(project: Path, call: Call) -> None:
    """Both answers of a pair are looked at; a task needs none."""
    asked = {"role": "user", "content": "반품되나요?"}
    pairs = [
        {
            "input": {"messages": [asked | {"content": f"{n}번, 반품되나요?"}]},
            "preferred_output": [{"role": "assistant", "content": "네, 됩니다."}],
            "non_preferred_output": [{"role": "assistant", "content": "응." if n else "kim@dewlatch.co.kr"}],
        }
        for n in range(10)
    ]
    tasks = [{"messages": [asked | {"content": f"{n} + 1?"}], "answer": n + 1} for n in range(10)]
    for name, rows in (("pairs", [*pairs, {"preferred_output": []}]), ("tasks", tasks)):
        (project / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    assert (
        "pairs.jsonl: 1 problem, 1 warning in 10 examples\n"
        "  pairs.jsonl: row 11: found no `input.messages`, expected a list of messages. "
        "Write a prompt and two answers per line.\n"
        "  warning FT303 email-address, once: pairs.jsonl: row 1\n"
    ) in call("check", project / "pairs.jsonl").out
    assert (0, "tasks.jsonl: nothing found in 10 examples\n") == (
        (outcome := call("check", project / "tasks.jsonl")).code,
        outcome.out,
    )
