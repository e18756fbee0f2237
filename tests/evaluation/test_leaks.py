"""What nearly repeats the training records is found exactly."""

from runner.dataset.near_texts import THRESHOLD
from runner.evaluation.leaks import find_leaks, overlap
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


def test_what_all_prompts_say_is_no_leak() -> None:
    """A long instruction, or a prompt without a field, is equal in all of them."""
    long = "당신은 상담원입니다. 짧고 정확하게 답하고, 모르면 모른다고 말하고, 개인정보는 말하지 않습니다."
    answers = ("쉽니다.", "월 3만 원입니다.", "14일 안에 됩니다.", "9시에 엽니다.")
    training = [example(answer, "한 문장을 써 주세요.", answer, system=long) for answer in answers]
    one = item("a", "한 문장을 써 주세요.", "비밀번호는 설정에서 바꿉니다.", system=long)

    assert [] == find_leaks([one], training)
    again = item("b", "한 문장을 써 주세요.", answers[3])
    assert [("b", 1.0)] == [(leak.identity, leak.share) for leak in find_leaks([one, again], training)]


def test_overlap_counts_runs_of_thirteen_tokens() -> None:
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"

    assert 0.5 == overlap([item("a", "q", long)], [example("b", "q", long.rpartition(" ")[0])])
    assert overlap([item("a", "q", "too short")], []) is None
