"""Which files a source names, and what becomes of files that are good, odd or broken."""

import inspect
import os
import sys
from pathlib import Path

import pytest

from runner.errors import InvalidInputError
from runner.issues import Issue, Place
from runner.project import Project
from runner.recipe.model import Source
from runner.sources.base import Record
from runner.sources.find import find_source_files
from runner.sources.read import read_records
from tests.powerless import powerless

UNREADABLE = "found a file that cannot be read (Permission denied), expected one that can. Make it readable."


@pytest.fixture
def root(project: Path) -> Project:
    return Project(root=project.resolve())


def write(root: Project, *names: str, content: str = '[{"a": 1}]') -> None:
    for name in names:
        path = root.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def found(root: Project, path: str, folder: str = ".") -> list[str]:
    source = Source(path=path, format="json")
    return [root.name_of(item) for item in find_source_files(source, root.root / folder, root)]


def message(root: Project, source: Source, folder: str = ".") -> str:
    with pytest.raises(InvalidInputError) as error:
        find_source_files(source, root.root / folder, root)
    return str(error.value)


def test_a_pattern_gives_files_in_code_point_order(root: Project) -> None:
    write(root, "d/b.json", "d/B.json", "d/가.json", "d/a10.json", "d/a9.json", "d/x.txt", "d/.hidden.json")

    assert ["d/B.json", "d/a10.json", "d/a9.json", "d/b.json", "d/가.json"] == found(root, "d/*.json")


def test_two_stars_stand_for_any_number_of_folders(root: Project) -> None:
    write(root, "d/a.json", "d/e/b.json", "d/e/f/c.json", "d/.git/d.json")

    assert ["d/a.json", "d/e/b.json", "d/e/f/c.json"] == found(root, "d/**/*.json")
    assert ["d/e/f/c.json"] == found(root, "d/**/f/*.json")
    assert ["d/a.json", "d/e/b.json", "d/e/f/c.json"] == found(root, "d/**")


def test_paths_are_relative_to_the_recipe(root: Project) -> None:
    write(root, "data/a.json", "recipes/b.json")

    assert ["data/a.json"] == found(root, "../data/a.json", "recipes")
    assert ["data/a.json"] == found(root, "../data/*.json", "recipes")
    assert ["recipes/b.json"] == found(root, "./b.json", "recipes")


def test_the_same_file_is_read_once_however_it_is_linked(root: Project) -> None:
    write(root, "d/a.json")
    (root.root / "d/b.json").symlink_to(root.root / "d/a.json")

    assert ["d/a.json"] == found(root, "d/*.json")


def test_two_stars_do_not_enter_linked_folders(root: Project) -> None:
    """A link to a parent would make an endless tree."""
    write(root, "d/a.json")
    (root.root / "d/loop").symlink_to(root.root)

    assert ["d/a.json"] == found(root, "d/**/*.json")


def test_patterns_that_lead_everywhere_end_soon(root: Project) -> None:
    """Stars in a row and links in a circle reach every folder in very many ways."""
    write(root, *(f"d/{'e/' * depth}{depth}.json" for depth in range(12)))
    (root.root / "d/back").symlink_to(root.root / "d")

    assert 12 == len(found(root, "**/" * 12 + "*.json"))
    assert ["d/0.json"] == found(root, "d/" + "back/" * 3 + "0.json")
    assert 12 == len(found(root, "*/" * 1 + "**/**/*.json"))


def test_folders_may_be_nested_deeper_than_calls(root: Project) -> None:
    write(root, "e/" * 150 + "a.json")
    before = sys.getrecursionlimit()

    sys.setrecursionlimit(len(inspect.stack(0)) + 120)
    try:
        names = found(root, "**/*.json")
    finally:
        sys.setrecursionlimit(before)

    assert ["e/" * 150 + "a.json"] == names


def test_a_pattern_cannot_climb(root: Project) -> None:
    write(root, "d/a.json")

    assert (
        "*/../../x.json: found a path outside the project, expected one inside it. "
        "Move the file into the project." == message(root, Source(path="*/../../x.json"))
    )


def test_a_link_that_leaves_the_project_is_refused(
    root: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.json"
    secret.write_text("[]")
    (root.root / "a.json").symlink_to(secret)
    expected = "found a path outside the project, expected one inside it. Move the file into the project."

    assert f"a.json: {expected}" == message(root, Source(path="a.json"))
    assert f"*.json: {expected}" == message(root, Source(path="*.json"))


def test_a_pipe_is_refused_before_it_is_opened(root: Project) -> None:
    os.mkfifo(root.root / "a.json")

    assert "a.json: found a pipe, socket or device, expected a regular file. Choose another path." == message(
        root, Source(path="a.json")
    )


def test_a_link_to_nothing_is_named(root: Project) -> None:
    (root.root / "a.json").symlink_to(root.root / "gone.json")

    assert "a.json: found a link to nothing, expected a file. Correct the link." == message(
        root, Source(path="a.json")
    )


def test_links_in_a_circle_are_named(root: Project) -> None:
    (root.root / "a.json").symlink_to(root.root / "b.json")
    (root.root / "b.json").symlink_to(root.root / "a.json")

    assert "a.json: found a link to nothing, expected a file. Correct the link." == message(
        root, Source(path="a.json")
    )


def test_an_unreadable_file_is_named(root: Project) -> None:
    write(root, "a.json")
    (root.root / "a.json").chmod(0)

    assert f"a.json: {UNREADABLE}" == powerless(lambda: message(root, Source(path="a.json")))


def test_a_file_that_cannot_be_read_after_all_is_an_issue(
    root: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, "a.json")

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(InvalidInputError) as error:
        list(read_records([Source(path="a.json")], root.root, root))

    assert f"a.json: {UNREADABLE}" == str(error.value)


def test_an_unknown_suffix_needs_a_format(root: Project) -> None:
    write(root, "a.txt")

    assert ["a.txt"] == found(root, "a.txt")
    assert (
        "a.txt: found the suffix '.txt', expected one of .json, .jsonl, .ndjson, .csv, .tsv, .yaml, .yml, "
        ".parquet, .arrow, .feather, .xlsx, .sqlite, .sqlite3, .db. Set `format` on this source."
        == message(root, Source(path="a.txt"))
    )


def test_records_come_in_the_order_of_the_sources(root: Project) -> None:
    write(root, "b.json", content='[{"n": 1}, {"n": 2}]')
    write(root, "a.jsonl", content='\n{"n": 3}\n\n{"n": 4}\n')
    write(root, "c.csv", content="n\n5\n\n6\n")
    write(root, "d.tsv", content="n\tm\n7\t8\n")
    sources = [Source(path=name) for name in ("b.json", "a.jsonl", "c.csv", "d.tsv")]

    assert [
        Record({"n": 1}, "b.json", 1),
        Record({"n": 2}, "b.json", 2),
        Record({"n": 3}, "a.jsonl", 2),
        Record({"n": 4}, "a.jsonl", 4),
        Record({"n": "5"}, "c.csv", 1),
        Record({"n": "6"}, "c.csv", 3),
        Record({"n": "7", "m": "8"}, "d.tsv", 1),
    ] == list(read_records(sources, root.root, root))


def test_a_broken_file_does_not_hide_the_next(root: Project) -> None:
    write(root, "a.json", content="[")
    write(root, "b.json", content='[{"n": 1}, 2]')
    sources = [Source(path="a.json"), Source(path="gone.json"), Source(path="b.json")]
    records = []

    with pytest.raises(InvalidInputError) as error:
        for record in read_records(sources, root.root, root):
            records.append(record)

    assert [Record({"n": 1}, "b.json", 1)] == records
    assert (
        Issue(
            place=Place(file="a.json", line=1, column=2),
            message="found the end of the text, expected a value. Repair the JSON.",
        ),
        Issue(
            place=Place(file="gone.json"),
            message="found no such file, expected one. Correct the path; it is relative to the recipe.",
        ),
        Issue(place=Place(file="b.json", row=2), message="found 2, expected an object. Make it one."),
    ) == error.value.issues


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", '[["질문", "답"], {"n": 1}]'), ("a.jsonl", '["질문", "답"]\n{"n": 1}\n')],
)
def test_a_list_of_texts_is_a_record_with_one_field(root: Project, name: str, content: str) -> None:
    write(root, name, content=content)
    found = [record.data for record in read_records([Source(path=name)], root.root, root)]

    assert [{"items": ["질문", "답"]}, {"n": 1}] == found


def test_reading_stops_after_so_many_problems(root: Project) -> None:
    write(root, "a.json", content="[1, 2, 3, 4]")

    with pytest.raises(InvalidInputError) as error:
        list(read_records([Source(path="a.json")], root.root, root, max_issues=2))

    assert [1, 2] == [issue.place.row for issue in error.value.issues]


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", "\n \n"), ("a.csv", "\n"), ("a.csv", "a\n")])
def test_lines_without_a_record_are_no_error(root: Project, name: str, content: str) -> None:
    write(root, name, content=content)

    assert [] == list(read_records([Source(path=name)], root.root, root))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "euc-kr", "utf-16"])
def test_encodings(root: Project, encoding: str) -> None:
    (root.root / "a.csv").write_bytes('제목,본문\r\n연동,"두\r\n줄"\r\n'.encode(encoding))
    source = Source(path="a.csv", encoding="utf-8" if encoding.startswith("utf-8") else encoding)

    assert [Record({"제목": "연동", "본문": "두\r\n줄"}, "a.csv", 1)] == list(
        read_records([source], root.root, root)
    )


def test_a_wrong_byte_far_into_a_file_is_found_exactly(root: Project) -> None:
    """The decoder works in chunks; the offset counts from the start of the file."""
    good = "가나다라마바사\n" * 60_000
    head = good.encode("utf-8")
    (root.root / "a.jsonl").write_bytes(head + b"\xff\n")

    with pytest.raises(InvalidInputError) as error:
        list(read_records([Source(path="a.jsonl")], root.root, root, max_issues=100_000))

    assert (
        f"a.jsonl:60001: found bytes that are not utf-8 text (byte {len(head)} of the file), expected utf-8. "
        "Set `encoding` on this source, or save the file as UTF-8." == str(error.value.issues[-1])
    )


def test_another_delimiter_and_old_line_ends(root: Project) -> None:
    (root.root / "a.csv").write_bytes(b"a;b\r1;2\r3;4\r")

    assert [Record({"a": "1", "b": "2"}, "a.csv", 1), Record({"a": "3", "b": "4"}, "a.csv", 2)] == list(
        read_records([Source(path="a.csv", delimiter=";")], root.root, root)
    )


def test_cells_longer_than_the_csv_default(root: Project) -> None:
    text = "x" * 200_000
    write(root, "a.csv", content=f"a\n{text}\n")

    assert [Record({"a": text}, "a.csv", 1)] == list(read_records([Source(path="a.csv")], root.root, root))
