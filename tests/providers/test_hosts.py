"""Host entries: the shipped ones, and what a wrong one of the user's own is told."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from runner.errors import InvalidInputError, RunnerError
from runner.providers import hosts
from runner.providers.hosts import Host, HostLimits, HostModel, HostOption, Notice, find_host, host_names
from runner.schema import load_schema
from tests.small_project import write_host_entry

SCHEMA = load_schema("host")
# What a host has besides its entry: where that was read from, and what it says as a hash.
READ_ALONG = ("origin", "fingerprint")
PAIRS = {
    HostLimits: SCHEMA["$defs"]["limits"],
    HostModel: SCHEMA["$defs"]["model"],
    HostOption: SCHEMA["$defs"]["option"],
    Notice: SCHEMA["$defs"]["notice"],
    Host: SCHEMA,
}


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return write_host_entry(tmp_path, "http://127.0.0.1:9/v1")


def said(entry: Path) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        find_host("fake", entry.parent)
    return [str(issue).removeprefix(f"{entry}: ") for issue in caught.value.issues]


@pytest.mark.parametrize("name", hosts.SHIPPED)
def test_the_shipped_entries_are_valid(name: str) -> None:
    assert name == find_host(name).name


@pytest.mark.parametrize("kind", PAIRS)
def test_the_types_follow_the_schema(kind: type) -> None:
    declared = {field.name: field for field in fields(kind) if field.name not in READ_ALONG}
    required = {name for name, field in declared.items() if field.default is field.default_factory is MISSING}

    assert set(PAIRS[kind]["properties"]) == set(declared)
    assert set(PAIRS[kind]["required"]) == required


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "min_examples = 10",
            'min_examples = "ten"',
            "$.limits.min_examples: found 'ten', expected an integer of at least 1.",
        ),
        ("paid = true", "paid = 1", "$.paid: found 1, expected true or false."),
        (
            'key_variable = "FAKE_API_KEY"',
            'key_variable = "sk-1"',
            "$.key_variable: found 'sk-1', expected the name of an environment variable.",
        ),
        (
            'key_variable = "FAKE_API_KEY"\n',
            "",
            "$: the key 'key_variable' is missing. Add it: the environment variable that holds the key.",
        ),
        (
            "as_of = 2026-11-22\npaid",
            'as_of = "soon"\npaid',
            "$.as_of: found 'soon', expected a date such as 2026-11-22.",
        ),
        (
            "as_of = 2026-11-22\npaid",
            "as_of = 2026-11-22T10:00:00Z\npaid",
            "$.as_of: found '2026-11-22T10:00:00+00:00', expected a date such as 2026-11-22.",
        ),
        (
            "= 1000.0",
            "= nan",
            "$.models[0].training_usd_per_million_tokens: found 'nan', expected a number from 0 to 1000000.",
        ),
        (
            "= 1000.0",
            "= 1e308",
            "$.models[0].training_usd_per_million_tokens: found 1e+308, expected a number from 0 to 1000000.",
        ),
        (
            "price_as_of = 2026-11-22\n",
            "",
            "$.models[0]: the key 'training_usd_per_million_tokens' needs 'price_as_of' beside it. "
            "Add it: when the price was looked up.",
        ),
        ("paid = true", "payed = true", "$.payed: found an unknown key 'payed'. Did you mean 'paid'?"),
        (
            'name = "fake"',
            'name = "other"',
            "$.name: found 'other', expected 'fake' as the file is called. Rename one of them.",
        ),
        (
            'name = "base-0"',
            'name = "base-0"\ntokenizer = "../../../etc/passwd"',
            "$.models[1]: the key 'tokenizer' needs 'chat_format' beside it. "
            "Add it: how the model's chat template writes one message.",
        ),
        ('name = "fake"', 'name = "fake', "not TOML: Illegal character '\\n' (at line 1, column 13)."),
    ],
)
def test_a_wrong_entry_names_the_file_the_key_and_what_is_expected(
    entry: Path, before: str, after: str, expected: str
) -> None:
    entry.write_text(entry.read_text().replace(before, after, 1))

    assert expected in said(entry)


def test_the_entry_in_the_guide_is_valid(tmp_path: Path) -> None:
    guide = Path(__file__).parent.parent.parent / "docs" / "guides" / "hosts.md"
    block = re.search(r"```toml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    (tmp_path / "gateway.toml").write_text(block[1], encoding="utf-8")

    assert {"n_epochs": "epochs", "batch_size": "batch_size"} == find_host("gateway", tmp_path).methods[
        "supervised"
    ]


def test_all_problems_of_an_entry_are_reported_at_once(entry: Path) -> None:
    entry.write_text('name = "fake"\nlimits = 3\n')

    assert {
        "$: the key 'base_url' is missing. Add it: where the API is, such as https://gateway.example.com/v1.",
        "$: the key 'key_variable' is missing. Add it: the environment variable that holds the key.",
        "$: the key 'as_of' is missing. Add it: when these data were checked.",
        "$.limits: found 3, expected a mapping.",
    } == set(said(entry))


def test_an_entry_that_is_not_text_is_refused(entry: Path) -> None:
    entry.write_bytes(b"\xff\xfe")

    assert ["found bytes that are not UTF-8. Save the file as UTF-8."] == said(entry)


def test_an_unknown_host_is_named_with_the_nearest(entry: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        find_host("fqke", entry.parent)

    assert "found no provider 'fqke'. Did you mean 'fake'?" == str(caught.value)
    assert sorted(["fake", *hosts.SHIPPED]) == host_names(entry.parent)
