"""`finetune diff`: what a pull request would change in training."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.fake_host import FakeHost


def git(folder: Path, *arguments: str) -> str:
    """Run git in a repository, with an author and nothing else of this machine's settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        **{
            f"GIT_{who}_{what}": "t@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def edit(path: Path, before: str, after: str) -> None:
    """Replace a piece of a file that is there."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


@pytest.fixture
def committed(recipe: Path, hosted: FakeHost) -> Path:
    """The recipe, committed in a repository of its own."""
    git(recipe.parent, "init", "--quiet", "--initial-branch", "main")
    git(recipe.parent, "add", "--all")
    git(recipe.parent, "commit", "--quiet", "--message", "start")
    return recipe


def test_without_a_change_there_is_nothing_to_say(call: Call, committed: Path) -> None:
    text, markdown = call("diff", "--exit-code"), call("diff", "--format", "markdown", "--exit-code")
    commit = git(committed.parent, "rev-parse", "HEAD")[:10]

    assert (0, f"faq: HEAD ({commit}) → working tree\nno change\n", "") == (text.code, text.out, text.err)
    assert (0, "", "") == (markdown.code, markdown.out, markdown.err)


def test_an_error_that_stays_is_no_change(call: Call, committed: Path) -> None:
    """A dataset too small, twice the same, is checked once."""
    committed.with_name("faq.jsonl").write_text('{"id": 1, "question": "a", "answer": "b"}\n')
    git(committed.parent, "commit", "--quiet", "--all", "--message", "small")

    assert "no change" == call("diff").out.splitlines()[-1]


def test_moved_keys_comments_and_defaults_are_no_change(call: Call, committed: Path) -> None:
    """The recipe is compared by meaning."""
    head, training = committed.read_text().split("training:\n")
    committed.write_text(
        f"# for us\ntraining:\n{training}  seed: 0\n{head}".replace("  question: question\n", "")
    )
    edit(committed, "  answer: answer\n", "  answer: {path: answer}\n  question: question\n")

    assert 0 == call("diff", "--exit-code").code


def test_recipe_and_data_in_one_review(call: Call, committed: Path) -> None:
    edit(committed, "n_epochs: 2", "n_epochs: 3")
    edit(committed, "training:\n", "limits:\n  max_cost_usd: 5\ntraining:\n")
    data = committed.with_name("faq.jsonl")
    edit(data, "It is number 3.", "It is three.")
    edit(data, '{"id": 5, "question": "What is 5?", "answer": "It is number 5."}\n', "")
    with data.open("a") as stream:
        stream.write('{"id": 12, "question": "What is 12?", "answer": "It is number 12."}\n')
    outcome = call("diff", "--exit-code")

    assert (5, "") == (outcome.code, outcome.err)
    assert [
        "  training examples: 12",
        "  training tokens: about 216 → about 215",
        "  price: $0.44 → $0.65",
        "",
        "recipe",
        "  ~ training.hyperparameters.n_epochs: 2 → 3",
        "  + limits.max_cost_usd: 5",
        "",
        "conversations: 1 changed, 1 added, 1 removed",
        "  ~ faq.jsonl: row 4, key 3",
        "      user: What is 3?",
        "  ~   assistant: It is [-number 3-]{+three+}.",
        "  + faq.jsonl: row 12, key 12",
        "  +   user: What is 12?",
        "  +   assistant: It is number 12.",
        "  - faq.jsonl: row 6, key 5",
        "  -   user: What is 5?",
        "  -   assistant: It is number 5.",
    ] == outcome.out.splitlines()[1:]


def test_markdown_keeps_data_inside_fences(call: Call, committed: Path) -> None:
    """A record can neither close a fence nor mention anybody; what drives a terminal is written out."""
    payload = "```\n# forged\n<img src=x onerror=alert(1)> @everyone [x](http://evil) \x1b[2J\u202e"
    lines = committed.with_name("faq.jsonl").read_text().splitlines()
    lines[3] = json.dumps({"id": 3, "question": "What is 3?", "answer": payload})
    committed.with_name("faq.jsonl").write_text("\n".join(lines) + "\n")
    commit = git(committed.parent, "rev-parse", "HEAD")[:10]
    outcome = call("diff", "--format", "markdown")
    conversations, _, checks = outcome.out.partition("\n**checks**\n")

    assert 0 == outcome.code
    assert (
        f"""\
<!-- finetune diff faq default -->

### What would train differently: `faq`

```text
faq: HEAD ({commit}) → working tree
```

| | before | after |
|---|--:|--:|
| training examples | 12 | 12 |
| training tokens | about 216 | about 232 |
| price | $0.44 | $0.47 |

**conversations: 1 changed**

````diff
! faq.jsonl: row 4, key 3
    user: What is 3?
!   assistant: [-It is number 3.-]{{+```
!       # forged
!       <img src=x onerror=alert(1)> @everyone [x](http://evil) \\x1b[2J\\u202e+}}
````
"""
        == conversations
    )
    # What makes the record hostile is what checks look for.
    assert ["FT202", "FT204", "FT213"] == re.findall(r"^\+ warning (FT\d+): ", checks, flags=re.MULTILINE)


def test_a_comment_fits_however_much_changed(call: Call, committed: Path) -> None:
    data = committed.with_name("faq.jsonl")
    lines = [
        json.dumps({"id": number, "question": "`@a` " * 2_000, "answer": "나" * 5_000 + str(number)})
        for number in range(80)
    ]
    data.write_text("\n".join(lines) + "\n")
    edit(committed, "name: faq", "name: faq\ndescription: '" + "<b>" * 30_000 + "'")
    outcome = call("diff", "--format", "markdown", "-n", "1000")

    assert 0 == outcome.code
    assert 30_000 < len(outcome.out) < 65_000
    assert "… the rest is left out here; `finetune diff` shows it" in outcome.out


def test_html_is_inert_and_needs_nothing_else(call: Call, committed: Path) -> None:
    payload = "</pre><script>alert(1)</script><img src=http://evil/x> \x1b[2J &amp;"
    lines = committed.with_name("faq.jsonl").read_text().splitlines()
    lines[3] = json.dumps({"id": "<b>3</b>", "question": payload, "answer": payload})
    committed.with_name("faq.jsonl").write_text("\n".join(lines) + "\n")
    edit(committed, "name: faq", "name: faq\ndescription: </pre><script>alert(2)</script>")
    page = call("diff", "--format", "html").out
    body = page.partition("</style>")[2]
    tags = set(re.findall(r"<(\w+)", body))

    assert "default-src 'none'; style-src 'sha256-" in page.replace("&#x27;", "'")
    ours = "h1 h2 h3 table thead tbody tr th td pre ins del article header p span"
    assert set() == tags - set(ours.split())
    assert [] == re.findall(r"\son\w+=|src=\"|href=|style=\"", re.sub(r">[^<]*<", "><", body))
    assert "\\x1b[2J" in body
    assert "\x1b" not in page


def test_json_has_the_whole_texts(call: Call, committed: Path) -> None:
    edit(committed.with_name("faq.jsonl"), "It is number 3.", "It is three.")
    review = call("diff", "--json").data["review"]

    assert review == call("diff", "--format", "json").data["review"]
    assert (True, [], "faq", "default") == tuple(
        review[key] for key in ("changed", "recipe", "name", "profile")
    )
    assert {"count": 0, "first": []} == review["examples"]["added"]
    (change,) = review["examples"]["changed"]["first"]
    assert {
        "key": "3",
        "variant": "",
        "file": "faq.jsonl",
        "row": 4,
        "messages": [
            {"role": "user", "content": "What is 3?"},
            {"role": "assistant", "content": "It is three."},
        ],
        "side": "training",
    } == change["after"]


def test_two_revisions(call: Call, committed: Path) -> None:
    edit(committed, "n_epochs: 2", "n_epochs: 4")
    git(committed.parent, "commit", "--quiet", "--all", "--message", "longer")
    edit(committed, "n_epochs: 4", "n_epochs: 9")
    outcome = call("diff", "HEAD~1", "HEAD", "--exit-code")

    assert 5 == outcome.code
    assert "  ~ training.hyperparameters.n_epochs: 2 → 4" == outcome.out.splitlines()[-1]
    assert "4 → 9" in call("diff", "main").out


def test_two_recipe_files(call: Call, committed: Path) -> None:
    other = committed.with_name("other.yaml")
    other.write_text(
        committed.read_text().replace('"{{ question }}"', '"{{ question }} Answer briefly, please."')
    )
    outcome = call("diff", committed.name, other.name, "-n", "1")

    assert (0, "") == (outcome.code, outcome.err)
    assert [
        "faq: faq.yaml → other.yaml",
        "  training examples: 12",
        "  training tokens: about 216 → about 288",
        "  price: $0.44 → $0.58",
        "",
        "recipe",
        "  ~ template.messages[0].content: {{ question }}{+ Answer briefly, please.+}",
        "",
        "conversations: 12 changed",
        "  ~ faq.jsonl: row 1, key 0",
        "  ~   user: What is 0?{+ Answer briefly, please.+}",
        "      assistant: It is number 0.",
        "    … and 11 more changed",
    ] == outcome.out.splitlines()


def test_a_profile_is_resolved(call: Call, committed: Path) -> None:
    with committed.open("a") as stream:
        stream.write("profiles:\n  long:\n    training:\n      hyperparameters:\n        n_epochs: 8\n")
    git(committed.parent, "commit", "--quiet", "--all", "--message", "profile")
    edit(committed, "n_epochs: 8", "n_epochs: 9")

    outcome = call("diff", "--profile", "long")
    assert outcome.out.splitlines()[0].endswith("→ working tree (profile long)")
    assert "  ~ training.hyperparameters.n_epochs: 8 → 9" == outcome.out.splitlines()[-1]


def test_a_change_of_any_profile_is_seen(call: Call, committed: Path) -> None:
    """One line for each other profile: what is not listed above already, or that it is new or gone."""
    profiles = "".join(f"  {name}:\n    training: {{seed: 3}}\n" for name in ("same", "long", "old"))
    committed.write_text(f"{committed.read_text()}profiles:\n{profiles}")
    git(committed.parent, "commit", "--quiet", "--all", "--message", "profiles")
    assert "no change" == call("diff").out.splitlines()[-1]
    edit(committed, "  long:\n    training: {seed: 3}", "  long:\n    training: {seed: 4, suffix: x}")
    only = call("diff", "--exit-code")
    edit(committed, "n_epochs: 2", "n_epochs: 3")
    edit(committed, "  old:\n", "  new:\n")
    all_of_them = call("diff")

    assert (5, ["other profiles", "  ~ long: training.seed, training.suffix"]) == (
        only.code,
        only.out.splitlines()[-2:],
    )
    assert [
        "other profiles",
        "  ~ same: as above",
        "  ~ long: training.seed, training.suffix",
        "  + new",
        "  - old",
    ] == all_of_them.out.splitlines()[-5:]
    assert {"name": "same", "kind": "changed", "paths": []} == (
        call("diff", "--json").data["review"]["profiles"][0]
    )
    assert "other profiles" not in call("diff", "--profile", "same").out


def test_a_profile_of_one_side_alone(call: Call, committed: Path) -> None:
    """The other side counts as not there, and the title says so."""
    with committed.open("a") as stream:
        stream.write("profiles:\n  new:\n    training: {seed: 3}\n")
    commit = git(committed.parent, "rev-parse", "HEAD")[:10]
    gained = call("diff", "--profile", "new", "-n", "0").out.splitlines()
    lost = call(
        "diff", committed.name, f"HEAD:{committed.name}", "--profile", "new", "-n", "0"
    ).out.splitlines()

    assert f"faq: HEAD ({commit}): no profile 'new' → working tree (profile new)" == gained[0]
    assert ("  training examples: none → 12", "  + training.seed: 3") == (gained[1], gained[-4])
    assert f"faq: faq.yaml → HEAD:faq.yaml ({commit}): no profile 'new' (profile new)" == lost[0]
    assert ("  training examples: 12 → none", "conversations: 12 removed") == (lost[1], lost[-2])


def test_a_file_of_a_revision(call: Call, committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """REVISION:PATH as git has it: from the top, or with a dot from here."""
    folder = committed.with_name("sub")
    folder.mkdir()
    for name in ("faq.yaml", "faq.jsonl"):
        shutil.copyfile(committed.with_name(name), folder / name)
    git(committed.parent, "add", "--all")
    git(committed.parent, "commit", "--quiet", "--message", "sub")
    commit = git(committed.parent, "rev-parse", "HEAD")[:10]
    edit(folder / "faq.yaml", "n_epochs: 2", "n_epochs: 3")
    monkeypatch.chdir(folder)
    alone, dotted = call("diff", "main:sub/faq.yaml"), call("diff", "main:./faq.yaml", "faq.yaml")
    across = call("diff", "main:faq.yaml", "main~0:sub/faq.yaml")

    assert (
        f"faq: main:sub/faq.yaml ({commit}) → working tree",
        "  ~ training.hyperparameters.n_epochs: 2 → 3",
    ) == (
        alone.out.splitlines()[0],
        alone.out.splitlines()[-1],
    )
    assert f"faq: main:./faq.yaml ({commit}) → faq.yaml" == dotted.out.splitlines()[0]
    assert alone.out.splitlines()[1:] == dotted.out.splitlines()[1:]
    assert "no change" == across.out.splitlines()[-1]


def test_a_revision_beside_a_named_recipe_means_that_recipe(call: Call, committed: Path) -> None:
    committed.with_name("other.yaml").write_text(committed.read_text())
    edit(committed, "n_epochs: 2", "n_epochs: 3")

    assert (
        "  ~ training.hyperparameters.n_epochs: 2 → 3"
        == call("diff", "main", "faq.yaml").out.splitlines()[-1]
    )


@pytest.fixture
def changed_after_its_run(call: Call, committed: Path) -> Path:
    """The recipe with the lockfile of a run, and changes since."""
    assert 0 == call("run", committed, "--yes").code
    edit(committed, "n_epochs: 2", "n_epochs: 3")
    edit(committed, "key: id\n", "key: id\nwhere: question != 'What is 7?'\n")
    edit(committed.with_name("faq.jsonl"), "It is number 3.", "It is three.")
    return committed


def test_a_lock_against_its_recipe_lists_conversations(call: Call, changed_after_its_run: Path) -> None:
    """The dataset of the run is on this machine; its records are known by hash alone."""
    outcome = call("diff", "faq.lock.yaml", "--exit-code")

    assert (5, "") == (outcome.code, outcome.err)
    assert [
        "faq: faq.lock.yaml → working tree",
        "  records: 12 → 11",
        "  training examples: 12 → 11",
        "  training tokens: about 216 → about 197",
        "  price: not stated → $0.60",
        "",
        "recipe",
        "  ~ training.hyperparameters.n_epochs: 2 → 3",
        "  ~ where: changed; a lockfile keeps only its hash",
        "",
        "files",
        "  ~ faq.jsonl: other bytes (786 → 783)",
        "",
        "conversations: 1 changed, 1 removed",
        "  ~ faq.jsonl: row 4, key 3",
        "      user: What is 3?",
        "  ~   assistant: It is [-number 3-]{+three+}.",
        "  - a record that the lockfile does not name",
        "  -   user: What is 7?",
        "  -   assistant: It is number 7.",
    ] == outcome.out.splitlines()


def test_a_combination_of_a_matrix_is_named_as_in_the_lockfile(call: Call, committed: Path) -> None:
    edit(committed, "training:\n", "matrix:\n  training.seed: [1, 2]\ntraining:\n")
    assert 0 == call("run", committed, "--yes").code
    edit(committed, "n_epochs: 2", "n_epochs: 3")
    outcome = call("diff", "faq.lock.yaml", "--profile", "default[seed=2]")
    unknown = call("diff", "faq.lock.yaml", "--profile", "default[seed=3]")

    assert ["recipe", "  ~ training.hyperparameters.n_epochs: 2 → 3"] == outcome.out.splitlines()[-2:]
    assert "faq: faq.lock.yaml → working tree (profile default[seed=2])" == outcome.out.splitlines()[0]
    assert unknown.err == (
        "error: neither faq.lock.yaml nor working tree has the profile 'default[seed=3]'. "
        "Did you mean 'default[seed=2]'?\n"
    )


def test_a_lock_from_another_machine_says_what_it_cannot_tell(
    call: Call, changed_after_its_run: Path
) -> None:
    shutil.rmtree(changed_after_its_run.with_name(".finetune") / "datasets")
    outcome = call("diff", "faq.lock.yaml")

    assert [
        "conversations",
        "  ~ changed; which ones is not known here: no build on this machine made the locked dataset",
    ] == outcome.out.splitlines()[-2:]
    assert call("diff", "faq.lock.yaml", "--json").data["review"]["examples"] is None


def test_equal_files_need_no_dataset_on_this_machine(call: Call, committed: Path) -> None:
    assert 0 == call("run", committed, "--yes").code
    shutil.rmtree(committed.with_name(".finetune") / "datasets")

    assert "no change" == call("diff", "faq.lock.yaml").out.splitlines()[-1]


def test_locks_are_compared_by_what_they_hold(call: Call, changed_after_its_run: Path) -> None:
    """In files, or in git: what training made of them is part of it."""
    folder = changed_after_its_run.parent
    lock, old = folder / "faq.lock.yaml", folder / "old.lock.yaml"
    git(folder, "add", "faq.lock.yaml")
    git(folder, "commit", "--quiet", "--message", "lock")
    commit = git(folder, "rev-parse", "HEAD")[:10]
    shutil.copyfile(lock, old)
    assert 0 == call("run", changed_after_its_run, "--yes").code
    files, in_git = call("diff", old.name, lock.name), call("diff", f"main:{lock.name}")

    assert f"main:faq.lock.yaml ({commit}) → working tree" == in_git.out.splitlines()[0]
    assert files.out.splitlines()[1:] == in_git.out.splitlines()[1:]
    assert "  ~ job.hyperparameters.resolved.n_epochs: 2 → 3" in files.out.splitlines()
    assert [
        "conversations: 1 changed, 1 removed",
        "  ~ a record that the lockfile does not name",
        "      user: What is 3?",
        "  ~   assistant: It is [-number 3-]{+three+}.",
    ] == files.out.splitlines()[-7:-3]
    assert "no change" == call("diff", lock.name, lock.name).out.splitlines()[-1]


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"], ["--format=json"]])
def test_errors_are_json_too(call: Call, committed: Path, option: list[str]) -> None:
    outcome = call("diff", "nope.yaml", *option)

    assert (2, "") == (outcome.code, outcome.err)
    assert (False, 2) == (outcome.data["ok"], outcome.data["error"]["exit_code"])


def test_a_new_recipe_is_all_new(call: Call, committed: Path) -> None:
    new = committed.with_name("new.yaml")
    new.write_text(committed.read_text().replace("name: faq", "name: new"))
    outcome = call("diff", new.name, "-n", "0")
    commit = git(committed.parent, "rev-parse", "HEAD")[:10]

    assert [
        f"new: HEAD ({commit}): no recipe → working tree",
        "  training examples: none → 12",
        "  training tokens: none → about 216",
        "  price: not stated → $0.44",
        "",
        "recipe",
        "  + name: new",
        "  + sources: faq.jsonl",
        "  + key: id",
        "  + fields.question.path: question",
        "  + fields.answer.path: answer",
        "  + template.messages[0].role: user",
        "  + template.messages[0].content: {{ question }}",
        "  + template.messages[1].role: assistant",
        "  + template.messages[1].content: {{ answer }}",
        "  + training.model: base-1",
        "  + training.provider: fake",
        "  + training.hyperparameters.n_epochs: 2",
        "",
        "conversations: 12 added",
        "    … and 12 more added",
    ] == outcome.out.splitlines()


def test_only_what_changed_is_listed_of_many(call: Call, committed: Path) -> None:
    data = committed.with_name("faq.jsonl")
    lines = [
        json.dumps({"id": n, "question": f"What is {n}?", "answer": f"It is {n}."}) for n in range(5_000)
    ]
    data.write_text("\n".join(lines) + "\n")
    git(committed.parent, "commit", "--quiet", "--all", "--message", "more")
    for number in (7, 2_500, 4_999):
        lines[number] = lines[number].replace("It is", "That is")
    data.write_text("\n".join(["", *lines[1:], lines[0]]).lstrip() + "\n")
    outcome = call("diff", "-n", "10")

    assert [
        "conversations: 3 changed",
        "  ~ faq.jsonl: row 7, key 7",
        "      user: What is 7?",
        "  ~   assistant: [-It-]{+That+} is 7.",
        "  ~ faq.jsonl: row 2500, key 2500",
        "      user: What is 2500?",
        "  ~   assistant: [-It-]{+That+} is 2500.",
        "  ~ faq.jsonl: row 4999, key 4999",
        "      user: What is 4999?",
        "  ~   assistant: [-It-]{+That+} is 4999.",
    ] == outcome.out.splitlines()[5:]


def test_another_order_is_a_change(call: Call, committed: Path) -> None:
    data = committed.with_name("faq.jsonl")
    data.write_text("\n".join(reversed(data.read_text().splitlines())) + "\n")

    assert [
        "conversations: the same in another order",
        "  ~ every conversation is as before",
    ] == call("diff").out.splitlines()[5:]


def test_checks_and_sides_of_the_split(call: Call, committed: Path) -> None:
    edit(committed, "key: id\n", "key: id\nsplit: {validation: 0.3, seed: 1}\n")
    edit(
        committed.with_name("faq.jsonl"),
        '"What is 4?", "answer": "It is number 4."',
        '"What is 3?", "answer": "It is number 3."',
    )
    lines = call("diff", "-n", "1").out.splitlines()

    assert "  ~ split.validation: 0.0 → 0.3" in lines
    assert any(line.endswith("on the other side of the split") for line in lines)
    assert any(line.endswith(", training → validation") for line in lines)
    assert "checks" in lines
    assert any(
        line.startswith("  + info FT406: an example nearly repeats that of faq.jsonl: row 4")
        for line in lines
    )


def test_records_that_make_no_example(call: Call, committed: Path) -> None:
    """A mistake in the data is part of the review, and does not hide the rest."""
    edit(committed.with_name("faq.jsonl"), '"answer": "It is number 3."', '"reply": "It is number 3."')
    lines = call("diff").out.splitlines()

    assert "conversations: 1 removed" in lines
    assert "problems" in lines
    assert lines[-1].startswith("  + faq.jsonl: row 4: ")


def test_one_of_several_recipes_is_asked_for(call: Call, committed: Path) -> None:
    (committed.parent / "other.yaml").write_text(committed.read_text())

    assert (
        "error: found several recipes (faq.yaml, other.yaml). Name the one to compare with --recipe.\n"
        == call("diff", "HEAD").err
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["nope.yaml"],
            2,
            "found no file nope.yaml, expected a recipe, a lockfile, a git revision or REVISION:PATH.",
        ),
        (
            ["HEAD", "HEAD", "--recipe", "x.yaml"],
            1,
            "x.yaml: neither HEAD ({commit}) nor HEAD ({commit}) has this recipe.",
        ),
        (
            ["HEAD", "old.lock.yaml"],
            2,
            "found no file old.lock.yaml, expected a recipe, a lockfile, a git revision or REVISION:PATH.",
        ),
        (
            ["--profile", "x"],
            1,
            "neither HEAD ({commit}) nor working tree has the profile 'x'. Known here: default.",
        ),
        (
            ["HEAD:nope.yaml", "faq.yaml"],
            1,
            "found no HEAD:nope.yaml ({commit}), expected a recipe or lockfile there.",
        ),
        (
            ["nope:faq.yaml"],
            1,
            "found no revision 'nope' in this repository, expected a commit, branch or tag, or a recipe or "
            "lockfile that is there. In a shallow clone, fetch it first.",
        ),
    ],
)
def test_what_cannot_be_compared(
    call: Call, committed: Path, arguments: list[str], code: int, message: str
) -> None:
    commit = git(committed.parent, "rev-parse", "HEAD")[:10]
    outcome = call("diff", *arguments)

    assert (code, "") == (outcome.code, outcome.out)
    assert f"error: {message.format(commit=commit)}\n" == outcome.err
