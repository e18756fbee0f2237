"""How findings are counted, levelled and suppressed; the rules themselves have their cases."""

import hashlib
import tracemalloc
from dataclasses import replace
from io import BytesIO

from runner.canonical import first_number
from runner.dataset.batch import END, read_batch, write_batch
from runner.dataset.checks import Checker, DatasetLimits
from runner.dataset.checks.checker import Examiner, record_identity
from runner.dataset.checks.columns import Columns, Examined
from runner.dataset.checks.digest import Digest
from runner.dataset.checks.hits import Origin
from runner.dataset.conversation import text_bytes
from runner.dataset.index import identity_digest
from runner.dataset.split import Side
from runner.dataset.tokens import EstimatedTokens
from runner.dataset.value import Finding
from runner.examples.read import Example, Message
from runner.issues import Severity
from runner.recipe.model import Checks, Ignore

GOOD = (("system", "Be kind."), ("user", "Hello?"), ("assistant", "Hello."))


def example(turns: tuple[tuple[str, str], ...], row: int = 1) -> Example:
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    return Example(key=str(row), group=None, variant="", messages=messages, file="data.jsonl", row=row)


def findings(*examples: Example, limits: DatasetLimits | None = None, sides: str = "") -> list[Finding]:
    checker = Checker(limits or DatasetLimits(min_examples=0), EstimatedTokens())
    for number, item in enumerate(examples):
        side = "validation" if sides[number : number + 1] == "v" else "training"
        checker.observe(item, side)
    n_validation = sides.count("v")
    return checker.findings(len(examples) - n_validation, n_validation, split_asked="v" in sides, keyed=True)


def codes(found: list[Finding]) -> list[str]:
    return [finding.code for finding in found]


def test_a_good_conversation_has_no_problem() -> None:
    assert [] == findings(example(GOOD))


def test_too_few_examples() -> None:
    found = findings(example(GOOD), limits=DatasetLimits(min_examples=10))

    assert [
        "error FT101: found 1 training examples, expected at least 10. Add records, or loosen `where`."
    ] == [str(finding) for finding in found]


def test_an_example_over_the_limit_is_an_error_and_a_near_one_a_warning() -> None:
    limits = DatasetLimits(min_examples=0, max_example_tokens=100)
    long = example((("user", "?"), ("assistant", "a" * 1000)))
    near = example((("user", "?"), ("assistant", "a" * 470)))

    assert ["FT106"] == codes(findings(long, limits=limits))
    assert ["FT111"] == codes(findings(near, limits=limits))
    assert [] == codes(findings(example(GOOD), limits=limits))


def test_exact_duplicates_are_counted_with_their_rows() -> None:
    found = findings(*(example(GOOD, row) for row in range(1, 7)))

    assert ["FT107"] == codes(found)
    assert (5, ["data.jsonl: row 2", "data.jsonl: row 3", "data.jsonl: row 4"]) == (
        found[0].count,
        [str(place) for place in found[0].places],
    )
    assert str(found[0]).endswith("(data.jsonl: row 2; data.jsonl: row 3; data.jsonl: row 4 and 2 more)")


def test_another_answer_to_the_same_question_is_found() -> None:
    other = example((*GOOD[:2], ("assistant", "Good day.")), row=2)

    assert ["FT108"] == codes(findings(example(GOOD), other))


def test_a_question_on_both_sides_is_a_leak() -> None:
    other = example((*GOOD[:2], ("assistant", "Good day.")), row=2)

    assert ["FT108", "FT109"] == codes(findings(example(GOOD), other, sides="tv"))


def test_an_empty_validation_side_and_a_missing_key_are_warned_about() -> None:
    checker = Checker(DatasetLimits(min_examples=0), EstimatedTokens())

    assert ["FT110", "FT112"] == codes(checker.findings(20, 0, split_asked=True, keyed=False))


def test_a_level_of_the_recipe_decides_how_bad_a_finding_is() -> None:
    checks = Checks(levels=(("FT107", "error"), ("FT112", "off")))
    checker = Checker(DatasetLimits(min_examples=0), EstimatedTokens(), checks)
    for row in (1, 2):
        checker.observe(example(GOOD, row), "training")
    found = checker.findings(2, 0, split_asked=False, keyed=False)

    assert [("FT107", Severity.ERROR)] == [(finding.code, finding.severity) for finding in found]


def test_a_suppression_hides_its_records_from_its_check_alone() -> None:
    secretive = (("user", "Who?"), ("assistant", "minji@dewlatch.co.kr {{name}}"))
    entry = Ignore(code="FT303", records=("2",), reason="she agreed")
    checker = Checker(DatasetLimits(min_examples=0), EstimatedTokens(), Checks(ignore=(entry,)))
    checker.observe(example((("user", "?"), ("assistant", "kim@dewlatch.co.kr")), 1), "training")
    checker.observe(example(secretive, 2), "training")
    found = checker.findings(2, 0, split_asked=False, keyed=True)

    assert [("FT210", "data.jsonl: row 2"), ("FT303", "data.jsonl: row 1")] == [
        (finding.code, str(finding.places[0])) for finding in found
    ]
    assert [1] == checker.ignored


def test_an_expression_of_a_suppression_comes_with_the_example() -> None:
    """The confined process evaluates it; the checker is told which entries hold."""
    entry = Ignore(code="FT303", where="public", reason="an office")
    checker = Checker(DatasetLimits(min_examples=0), EstimatedTokens(), Checks(ignore=(entry,)))
    shown = example((("user", "?"), ("assistant", "kim@dewlatch.co.kr")))
    checker.observe(replace(shown, ignored=(0,)), "training")

    assert [] == checker.findings(1, 0, split_asked=False, keyed=True)
    assert [1] == checker.ignored


def test_examples_may_be_examined_elsewhere() -> None:
    """In columns, however they are divided, they come to the findings of one after the other."""
    answers = ("Hello.", "Hello.", "None", "네.\r\n", *("Hello. Was this helpful to you?",) * 70)
    items = [example((("user", "?"), ("assistant", answer)), row) for row, answer in enumerate(answers)]
    sides: list[Side] = ["validation" if row % 9 == 1 else "training" for row in range(len(items))]

    def found(size: int | None) -> tuple[list[Finding], list[tuple[str, Origin | None]]]:
        checker = Checker(DatasetLimits(min_examples=0), EstimatedTokens())
        told: list[tuple[str, Origin | None]] = []
        checker.listener = lambda hit, origin: told.append((hit.code, origin))
        if size is None:
            for item, side in zip(items, sides, strict=True):
                checker.observe(item, side)
        else:
            for start in range(0, len(items), size):
                checker.collect_all(columns(checker, items, sides, range(start, start + size)))
        return checker.findings(60, 14, split_asked=True, keyed=True), told

    expected = found(None)
    assert ["FT107", "FT108", "FT109", "FT205", "FT206", "FT211", "FT403"] == codes(expected[0])
    assert [expected] * 4 == [found(size) for size in (1, 3, 37, 500)]


def columns(checker: Checker, items: list[Example], sides: list[Side], rows: range) -> Columns:
    """What another process makes of these examples, as it comes out of a pipe."""
    examiner, examined = Examiner(checker.setup), Columns()
    for row in rows[: len(items) - rows.start]:
        turns = [(message.role, message.content) for message in items[row].messages]
        digest = identity_digest(items[row].key, "")
        (made,) = examiner.examine_texts([turns], [10], [text_bytes(turns)])
        examined.add(row - rows.start, first_number(digest), sides[row], made, ())
    stream = BytesIO()
    write_batch(stream, replace(END, n_rows=len(rows), examined=examined))
    stream.seek(0)
    batch = read_batch(stream)
    assert batch is not None
    batch.examined.file, batch.examined.rows_before = "data.jsonl", rows.start
    return batch.examined


def test_memory_stays_flat() -> None:
    """At most 40 bytes for each further example, whatever its length."""
    checker = Checker(DatasetLimits(min_examples=0), EstimatedTokens())
    blank = Digest(question=0, answer=1, answer_characters=40, question_script="", answer_script="")
    origins = [Origin(f"{row:016x}", "data.jsonl", row) for row in range(40)]

    def observe(rows: range) -> None:
        for row in rows:
            question = hash_of(row)
            edges = (f"sentence {row} of many", f"another {row} of them")
            digest = blank._replace(question=question, answer=question >> 3, edges=edges)
            checker.collect(origins[row % 40], "training", Examined((), digest))

    tracemalloc.start()
    observe(range(20_000))
    before = tracemalloc.get_traced_memory()[0]
    observe(range(20_000, 50_000))
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert after - before < 40 * 30_000


def hash_of(number: int) -> int:
    return int.from_bytes(hashlib.blake2b(str(number).encode(), digest_size=8).digest(), "big")


def test_everything_found_is_told_to_a_listener() -> None:
    told: list[tuple[str, str]] = []
    checker = Checker(DatasetLimits(min_examples=9), EstimatedTokens())
    checker.listener = lambda hit, origin: told.append((hit.code, origin.identity if origin else ""))
    for row in range(5):
        checker.observe(example(GOOD, row), "training")
    checker.findings(5, 0, split_asked=False, keyed=True)

    assert [("FT107", record_identity(identity_digest(str(row), ""))) for row in range(1, 5)] + [
        ("FT101", "")
    ] == told
