"""Messages without a rule's mark have nothing that the rule finds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.dataset.checks.checker import Examiner
from runner.dataset.checks.conversation import conversation_of_turns
from runner.dataset.checks.limits import DatasetLimits
from runner.dataset.checks.marks import CHARACTERS, ENDS, PERSONAL, RESIDUE, SECRETS, make_finder
from runner.dataset.checks.registry import EXAMPLE_RULES
from runner.dataset.checks.rule import Setup
from runner.dataset.conversation import text_bytes

MARKS = (CHARACTERS, ENDS, RESIDUE, PERSONAL, SECRETS)
EXAMINER = Examiner(
    Setup(
        limits=DatasetLimits(min_examples=0, max_example_tokens=1_000),
        codes=frozenset(item.rule.code for item in EXAMPLE_RULES if not item.rule.extra),
    )
)
# What the rules look for, whole and in parts, and what stands around it.
BITS = (
    *(
        "None",
        "nan",
        "NaN",
        "undefined",
        "null",
        "NULL",
        ":",
        ": ",
        "`",
        "``",
        "```",
        "~~~",
        "{{",
        "}}",
        "{%",
        "%}",
    ),
    *(
        "[object Object]",
        "lorem ipsum",
        "Lorem Ipsum",
        "LOREM IPSUM",
        "<|",
        "im_start",
        "|>",
        "<start_of_turn>",
    ),
    *(
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<</SYS>>",
        "minji.kim@",
        "dewlatch.co.kr",
        "010",
        "-",
        "2345",
        "6789",
        "+82",
    ),
    *(
        "10",
        " ",
        "900101",
        "1234567",
        "4929",
        "7226",
        "5379",
        "7141",
        "PRIVATE KEY",
        "-----BEGIN ",
        "-----",
        "A" * 40,
    ),
    *(
        "AKIA",
        "ASIA",
        "ABCDEFGHIJ234567",
        "ghp_",
        "abcdefgh" * 5,
        "github_pat_",
        "glpat-",
        "xoxb-",
        "sk-ant-",
        "api03-",
    ),
    *(
        "T3BlbkFJ",
        "sk-",
        "AIza",
        "hf_",
        "sk_live_",
        "npm_",
        "pypi-AgE",
        "SG.",
        "a1B2" * 12,
        ".",
        "。",
        "\n",
        "\t",
        "\r",
    ),
    *(
        "\x00",
        "\x0b",
        "\x1c",
        "\x1f",
        "\x7f",
        "\x85",
        "\xa0",
        "\xad",
        "\u0301",
        "e\u0301",
        "\u1109\u1165",
        "\u1161",
    ),
    *(
        "\u200b",
        "\u2028",
        "\u202e",
        "\u2060",
        "\u2067",
        "\u3000",
        "\u3099",
        "\ufeff",
        "\ufffd",
        "\U000e0041",
        "😀",
    ),
    *(
        "é",
        "ë",
        "°¡",
        "¾È³ç",
        "Ã©",
        "“",
        "”",
        "€",
        "™",
        "Ž",
        "ƒ",
        "ˆ",
        "가",
        "한글",
        "word",
        "\\",
        '"',
        "\\u0000",
        "/",
    ),
)
TEXT = st.lists(st.sampled_from(BITS), max_size=8).map("".join) | st.text(max_size=20)


def codes(*answers: str, by_mark: bool) -> list[str]:
    turns = [("user", "반품은 어떻게 하나요?"), *(("assistant", text) for text in answers)]
    if by_mark:
        (examined,) = EXAMINER.examine_texts([turns], [10], [text_bytes(turns)])
    else:
        examined = EXAMINER.examine(conversation_of_turns(turns, 10))
    return [hit.code for hit in examined.hits]


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_marks_lead_to_the_same_hits(texts: list[str]) -> None:
    assert codes(*texts, by_mark=False) == codes(*texts, by_mark=True)


@pytest.mark.parametrize(
    "text", ["", "\u200b", " x", "x\u3000", "None", "\nnull", "a:`b`None", "x: nan", "\x1cNaN"]
)
def test_what_stands_at_the_ends_of_a_text(text: str) -> None:
    assert codes(text, by_mark=False) == codes(text, by_mark=True) != []


def texts_of(turns: list[tuple[str, str]]) -> bytes:
    return text_bytes(turns).texts


def test_usual_text_has_no_mark() -> None:
    turns = [
        ("system", "분류: 배송"),
        ("user", "How long?"),
        ("assistant", 'Open "Orders" (3), then:\n\n- wait'),
    ]
    assert make_finder(MARKS)(texts_of(turns)) == set()


def test_all_marks_of_messages_are_found() -> None:
    turns = [("user", "\ufeffNone"), ("assistant", "{{ x }} a@b hf_")]
    found = make_finder(MARKS)(texts_of(turns))
    assert found == {"characters", "ends", "residue", "personal", "secrets"}


def test_no_two_marks_share_an_anchor() -> None:
    anchors = b"".join(mark.anchors for mark in MARKS)
    assert len(set(anchors)) == len(anchors), json.dumps(anchors.decode("latin-1"))
