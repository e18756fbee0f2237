"""An entry that came with the project gets no key before the operator allowed it as it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.project import Project
from runner.providers.hosts import Host, find_host
from runner.providers.permission import HostNotAllowedError, HostPermission
from tests.small_project import HOST_ENTRY

URL = "https://gateway.example.com/v1"


def write_entry(project: Path, url: str = URL, name: str = "fake") -> Path:
    path = project / "hosts" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    entry = HOST_ENTRY.format(url=url, keeps_metadata="true", min_examples=10)
    path.write_text(entry.replace('"fake"', f'"{name}"'))
    return path


@pytest.fixture
def shared(tmp_path: Path) -> Host:
    write_entry(tmp_path)
    return find_host("fake", None, Project(root=tmp_path))


def refusal(host: Host, permission: HostPermission) -> str:
    with pytest.raises(HostNotAllowedError) as caught:
        permission.refuse_other(host)
    return str(caught.value)


def test_an_entry_of_the_project_names_both_ways_to_allow_it(shared: Host, tmp_path: Path) -> None:
    file = tmp_path / "allowed-hosts.toml"
    bound = f"fake@{shared.fingerprint}"

    assert (
        f"hosts/fake.toml came with this project and would send the key in FAKE_API_KEY to {URL}; such an "
        "entry gets no key before you allow it. Nothing was sent. If you trust that address, allow it for "
        "one command with --allow-host fake, or until the entry changes with this line in "
        f'{file}: "{bound}" = "{URL}"'
    ) == refusal(shared, HostPermission(file=file, unattended=False))


def test_a_name_allows_it_for_a_person(shared: Host) -> None:
    HostPermission(named=("other", "fake"), unattended=False).refuse_other(shared)


def test_unattended_the_name_alone_does_not_allow_it(shared: Host) -> None:
    """The pull request that CI runs may have changed what the name stands for."""
    said = refusal(shared, HostPermission(named=("fake",), unattended=True))

    assert "before you allow it. Unattended (CI), the name alone does not allow it. Nothing was sent." in said
    assert f"with --allow-host fake@{shared.fingerprint}, or" in said
    HostPermission(named=(f"fake@{shared.fingerprint}",), unattended=True).refuse_other(shared)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (URL, "https://gateway.example.org/v1"),
        ("FAKE_API_KEY", "OPENAI_API_KEY"),
        ("paid = true", "paid = false"),
        ("1000.0", "0.0"),
    ],
)
def test_a_permission_ends_when_the_entry_changes(
    shared: Host, tmp_path: Path, before: str, after: str
) -> None:
    file = tmp_path / "allowed-hosts.toml"
    file.write_text(f'"fake@{shared.fingerprint}" = "{URL}"\n')
    permission = HostPermission(file=file, named=(f"fake@{shared.fingerprint}",))
    permission.refuse_other(shared)
    path = tmp_path / "hosts" / "fake.toml"
    path.write_text(path.read_text().replace(before, after))
    changed = find_host("fake", None, Project(root=tmp_path))

    assert refusal(changed, permission).startswith("hosts/fake.toml came with this project and would send")


def test_comments_and_layout_leave_a_permission_as_it_is(shared: Host, tmp_path: Path) -> None:
    path = tmp_path / "hosts" / "fake.toml"
    path.write_text(f"# Our gateway.\n\n{path.read_text()}\n")

    assert shared == find_host("fake", None, Project(root=tmp_path))


def test_shipped_entries_and_those_of_the_user_need_no_permission(tmp_path: Path) -> None:
    own = write_entry(tmp_path)
    for host in (find_host("openai"), find_host("fake", own.parent)):
        HostPermission().refuse_other(host)


def test_the_users_own_entry_comes_before_the_projects(tmp_path: Path) -> None:
    write_entry(tmp_path, "https://evil.example/v1")
    (tmp_path / "config").mkdir()
    own = write_entry(tmp_path / "config")
    host = find_host("fake", own.parent, Project(root=tmp_path))

    assert (URL, "") == (host.base_url, host.origin)


@pytest.mark.parametrize("name", ["openai", "local"])
def test_a_project_cannot_replace_a_known_host(tmp_path: Path, name: str) -> None:
    write_entry(tmp_path, "https://evil.example/v1", name)
    with pytest.raises(RunnerError) as caught:
        find_host(name, None, Project(root=tmp_path))

    assert (
        f"hosts/{name}.toml: found an entry for '{name}', which comes with finetune-runner: a project cannot "
        "replace it. Give it another name."
    ) == str(caught.value)


def test_a_link_out_of_the_project_is_no_entry(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "hosts").mkdir(parents=True)
    (project / "hosts" / "fake.toml").symlink_to(write_entry(tmp_path))
    with pytest.raises(RunnerError) as caught:
        find_host("fake", None, Project(root=project))

    expected = "found a link that leads out of the project. Copy the file into the project."
    assert f"hosts/fake.toml: {expected}" == str(caught.value)


def test_a_broken_file_of_permissions_allows_nothing(shared: Host, tmp_path: Path) -> None:
    file = tmp_path / "allowed-hosts.toml"
    file.write_text("fake")
    with pytest.raises(RunnerError) as caught:
        HostPermission(file=file).refuse_other(shared)

    assert str(caught.value).startswith(f"{file}: not TOML: ")


def test_an_entry_without_a_fingerprint_is_never_allowed(shared: Host) -> None:
    refusal(replace(shared, fingerprint=""), HostPermission(named=("fake@0",)))
