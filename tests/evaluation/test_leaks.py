"""What nearly repeats the training records is found exactly."""

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.evaluation.leaks import THRESHOLD, find_leaks, overlap
from runner.issues import Place
from tests.evaluation.examples import example, item

ANSWER = "요청과 응답 본문은 UTF-8 JSON이고, 본문 크기는 2MB까지 허용됩니다. 그보다 크면 413을 돌려줍니다."


def test_a_near_repeat_names_both_records_and_what_they_share() -> None:
    items = [
        item("a", "본문 형식은?", f"{ANSWER}!", row=4),
        item("b", "요금은 얼마인가요?", "월 3만 원입니다."),
    ]
    training = [example("c", "휴일에는?", "쉽니다."), example("d", "본문 형식은?!", ANSWER, row=9)]

    found = find_leaks(items, training)

    assert [("a", Place(file="data.json", row=4), Place(file="data.json", row=9))] == [
        (leak.identity, leak.place, leak.training_place) for leak in found
    ]
    assert THRESHOLD <= found[0].share < 1


def test_the_same_question_is_a_leak_whatever_the_answer() -> None:
    items = [item("a", "What is  the FEE?", "Nine.")]

    assert ["a"] == [
        leak.identity for leak in find_leaks(items, [example("b", "What is the fee?", "It depends.")])
    ]


def test_boilerplate_of_the_template_is_no_leak() -> None:
    items = [item("a", "REST 관련 내용을 알려줘.", "443번 포트만 열려 있습니다.", system="Category: 개요")]
    training = [
        example("b", "SOAP 관련 내용을 알려줘.", "봉투를 서명해서 보냅니다.", system="Category: 개요")
    ]

    assert [] == find_leaks(items, training)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab", min_size=0, max_size=40), min_size=1, max_size=6), st.text("ab", max_size=40))
def test_the_index_misses_nothing(answers: list[str], other: str) -> None:
    """The rarest fifth finds every pair that comparing all with all finds."""
    items = [item(str(n), f"q{n}", answer) for n, answer in enumerate(answers)]
    training = [example("t", "q", other)]

    def shingles(question: str, answer: str) -> set[str]:
        text = " ".join(f"{question}\n{answer}".split())
        return {text[i : i + 5] for i in range(max(1, len(text) - 4))}

    mine = shingles("q", other)
    expected = []
    for one in items:
        theirs = shingles(one.question, one.reference)
        if len(mine & theirs) / len(mine | theirs) >= THRESHOLD:
            expected.append(one.identity)
    assert expected == [leak.identity for leak in find_leaks(items, training)]


def test_overlap_counts_runs_of_thirteen_tokens() -> None:
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"

    assert 0.5 == overlap([item("a", "q", long)], [example("b", "q", long.rpartition(" ")[0])])
    assert overlap([item("a", "q", "too short")], []) is None
