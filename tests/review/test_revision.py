"""A recipe as it was in a revision, read without touching anything else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import InvalidInputError, RunnerError
from runner.examples.read import Example, read_examples
from runner.issues import Issue
from runner.providers.hosts import find_host
from runner.recipe.load import LoadedRecipe
from runner.review.git import Revision, find_revision
from runner.review.revision import recipe_at
from tests.review.conftest import Git
from tests.small_project import HOST_ENTRY

RECIPE = """\
version: 1
name: faq
sources:
  - path: ../data/*.csv
key: id
fields: {question: question, answer: answer}
template:
  messages:
    - {role: user, content_file: prompts/user.txt}
    - {role: assistant, content: "{{ answer }}{% include 'prompts/end.txt' %}"}
training: {model: tiny-1}
"""
Commit = Callable[[], Revision]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe in a folder, with data beside it and templates below it."""
    (tmp_path / "recipes" / "prompts").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("id,question,answer\n1,Q,A\n")
    (tmp_path / "data" / "notes.txt").write_text("not needed")
    (tmp_path / "recipes" / "prompts" / "user.txt").write_text(
        "{% include 'prompts/start.txt' %}{{ question }}"
    )
    (tmp_path / "recipes" / "prompts" / "start.txt").write_text("> ")
    (tmp_path / "recipes" / "prompts" / "end.txt").write_text(" <")
    path = tmp_path / "recipes" / "faq.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the revision's files go."""
    return tmp_path_factory.mktemp("out")


def rendered(loaded: LoadedRecipe | None) -> list[str]:
    """The texts of the first example, or the messages of the issues."""
    assert loaded is not None
    items = list(read_examples(loaded.recipe, loaded.folder, loaded.project))
    texts = [[turn.content for turn in item.messages] for item in items if isinstance(item, Example)]
    return [*(texts[0] if texts else ()), *(item.message for item in items if isinstance(item, Issue))]


def test_the_projects_own_hosts_are_those_of_the_revision(
    recipe: Path, revision: Commit, out: Path, tmp_path: Path
) -> None:
    entry = tmp_path / "hosts" / "fake.toml"
    (entry.parent / "old").mkdir(parents=True)
    (entry.parent / "old" / "other.toml").touch()
    entry.write_text(HOST_ENTRY.format(url="https://then.example/v1", keeps_metadata="true", min_examples=1))
    then = revision()
    entry.write_text(entry.read_text().replace("then", "now"))
    loaded = recipe_at(then, recipe, "default", out)
    assert loaded is not None

    assert "https://then.example/v1" == find_host("fake", None, loaded.project).base_url
    assert not (out / "hosts" / "old").exists()


def test_only_needed_files_are_written(recipe: Path, revision: Commit, out: Path) -> None:
    loaded = recipe_at(revision(), recipe, "default", out)
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())

    assert ["> Q", "A <"] == rendered(loaded)
    assert [
        ".git",
        "data/a.csv",
        "recipes/faq.yaml",
        "recipes/prompts/end.txt",
        "recipes/prompts/start.txt",
        "recipes/prompts/user.txt",
    ] == [name for name in written if (out / name).stat().st_size or name == ".git"]


def test_bases_are_those_of_the_revision(recipe: Path, revision: Commit, out: Path) -> None:
    base = recipe.parent / "common" / "base.yaml"
    base.parent.mkdir()
    base.write_text(
        "version: 1\nextends: more/key.yaml\n" + RECIPE.split("\n", 2)[2].replace("key: id\n", "")
    )
    (base.parent / "more").mkdir()
    (base.parent / "more" / "key.yaml").write_text("version: 1\nkey: id\n")
    recipe.write_text("version: 1\nextends: common/base.yaml\nname: faq\nsources: [{path: ../data/*.csv}]\n")
    (base.parent / "prompts").symlink_to("../prompts")
    state = revision()
    base.write_text("version: 1\n")
    loaded = recipe_at(state, recipe, "default", out)

    assert ["> Q", "A <"] == rendered(loaded)
    assert loaded is not None
    assert "id" == loaded.recipe.key


def test_recipes_that_are_built_on_are_those_of_the_revision(
    recipe: Path, revision: Commit, out: Path
) -> None:
    (recipe.parent / "first.yaml").write_text(RECIPE)
    recipe.write_text(RECIPE.replace("model: tiny-1", "model: {recipe: first.yaml}"))
    state = revision()
    (recipe.parent / "first.yaml").unlink()
    loaded = recipe_at(state, recipe, "default", out)

    assert loaded is not None
    assert ["recipes/first.yaml", "recipes/faq.yaml"] == [each.run_name for each in loaded.lineage]


def test_the_working_tree_stays_out_of_it(recipe: Path, revision: Commit, out: Path) -> None:
    state = revision()
    (recipe.parent.parent / "data" / "a.csv").write_text("id,question,answer\n1,other,other\n")

    assert ["> Q", "A <"] == rendered(recipe_at(state, recipe, "default", out))


def test_a_recipe_that_was_not_there(recipe: Path, revision: Commit, out: Path) -> None:
    assert recipe_at(revision(), recipe.with_name("other.yaml"), "default", out) is None


def test_problems_name_the_revision(recipe: Path, revision: Commit, out: Path) -> None:
    recipe.write_text(RECIPE.replace("tiny-1", "3"))
    with pytest.raises(InvalidInputError) as caught:
        recipe_at(revision(), recipe, "default", out)

    assert str(caught.value).startswith("HEAD:recipes/faq.yaml:11:19: $.training.model: ")


def test_links_inside_are_followed(recipe: Path, revision: Commit, out: Path) -> None:
    root = recipe.parent.parent
    (root / "data").rename(root / "store")
    (root / "data").symlink_to("store")
    (root / "recipes" / "prompts" / "end.txt").rename(root / "end.txt")
    (root / "recipes" / "prompts" / "end.txt").symlink_to("../../end.txt")

    assert ["> Q", "A <"] == rendered(recipe_at(revision(), recipe, "default", out))


def test_links_that_lead_out_are_refused(
    recipe: Path, revision: Commit, out: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text("id,question,answer\n1,secret,secret\n")
    (recipe.parent.parent / "data" / "a.csv").unlink()
    (recipe.parent.parent / "data" / "a.csv").symlink_to(outside)
    (message,) = rendered(recipe_at(revision(), recipe, "default", out))

    assert (
        "found a path outside the project, expected one inside it. Move the file into the project." == message
    )


def test_a_recipe_that_is_a_link_out_is_refused(recipe: Path, revision: Commit, git: Git, out: Path) -> None:
    blob = git("hash-object", "-w", "--stdin", stdin="/etc/passwd")
    state = revision()
    git("update-index", "--add", "--cacheinfo", f"120000,{blob},recipes/faq.yaml")
    git("commit", "--quiet", "--message", "link")
    after = find_revision(recipe.parent, "HEAD", dict(os.environ))
    with pytest.raises(RunnerError, match="is a link that leads out of the repository"):
        recipe_at(after, recipe, "default", out)

    assert state.commit != after.commit


def test_hooks_filters_and_settings_of_the_repository_do_nothing(
    recipe: Path, revision: Commit, git: Git, out: Path
) -> None:
    """A repository from a stranger names commands in many places."""
    trap = recipe.parent.parent / "trapped"
    (recipe.parent.parent / ".gitattributes").write_text("*.csv filter=trap diff=trap\n")
    state = revision()
    for name in (
        "filter.trap.smudge",
        "diff.trap.textconv",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
    ):
        git("config", name, f"touch {trap}")

    assert ["> Q", "A <"] == rendered(recipe_at(state, recipe, "default", out))
    assert not trap.exists()


def test_git_lfs_is_explained(recipe: Path, revision: Commit, out: Path) -> None:
    (recipe.parent.parent / "data" / "a.csv").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"
    )
    with pytest.raises(RunnerError) as caught:
        recipe_at(revision(), recipe, "default", out)

    assert str(caught.value).startswith(
        "data/a.csv is kept by Git LFS, and the revision holds only its pointer."
    )


@pytest.mark.parametrize("name", ["no-such-branch", "--output=x", "HEAD~9", "a\nb"])
def test_an_unknown_revision(recipe: Path, revision: Commit, name: str) -> None:
    revision()
    with pytest.raises(RunnerError, match=r"^found no revision '.*' in this repository, expected a commit"):
        find_revision(recipe.parent, name, dict(os.environ))


def test_without_a_repository(tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match="is in no git repository, so there is no revision to compare with"):
        find_revision(tmp_path, "HEAD", {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})


def test_a_repository_of_another_user(recipe: Path, revision: Commit) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    revision()
    for path in (recipe.parent.parent, recipe.parent.parent / ".git"):
        os.chown(path, 12345, 12345)
    environment = {key: value for key, value in os.environ.items() if key != "SUDO_UID"}
    with pytest.raises(
        RunnerError, match="another user owns it. If you trust it: `git config --global --add"
    ):
        find_revision(recipe.parent, "HEAD", environment)


def test_the_variables_of_a_hook_are_left_out(recipe: Path, revision: Commit) -> None:
    """Git tells hooks which repository and index they are in; neither is asked for here."""
    commit = revision().commit

    assert commit == find_revision(recipe.parent, "HEAD", {**os.environ, "GIT_DIR": "/nowhere"}).commit
