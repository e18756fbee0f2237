"""Text in pieces: pytest tests/local/training/test_text_stream.py"""

import random
from typing import Any

import pytest

pytest.importorskip("transformers")

from runner.local.training.text_stream import StopFilter, TextStream

pytestmark = pytest.mark.torch


def in_pieces(text: str, seed: int) -> list[str]:
    generator = random.Random(seed)
    pieces, position = [], 0
    while position < len(text):
        length = generator.randint(1, 4)
        pieces.append(text[position : position + length])
        position += length
    return pieces


@pytest.mark.parametrize(
    "text", ["안녕하세요 👩‍👩‍👧 뷁 é", "plain text", " 앞과 뒤 ", "\ufffd inside \ufffd"]
)
def test_pieces_are_whole_characters_and_add_up(tiny_tokenizer: Any, text: str) -> None:
    stream = TextStream(tiny_tokenizer)
    ids = tiny_tokenizer(text, add_special_tokens=False)["input_ids"]
    pieces = [stream.push(token) for token in ids]

    assert text == "".join(pieces) + stream.close(is_cut=False)
    assert not any(piece.endswith("\ufffd") for piece in pieces)


def test_unfinished_character_of_a_cut_answer_is_dropped(tiny_tokenizer: Any) -> None:
    stream = TextStream(tiny_tokenizer)
    ids = tiny_tokenizer("a 뷁", add_special_tokens=False)["input_ids"]
    text = "".join(stream.push(token) for token in ids[:-1])

    assert "a " == text + stream.close(is_cut=True)


def test_special_tokens_have_no_text(tiny_tokenizer: Any) -> None:
    stream = TextStream(tiny_tokenizer)
    ids = tiny_tokenizer("<|im_start|>a<|im_sep|>b", add_special_tokens=False)["input_ids"]

    assert "ab" == "".join(stream.push(token) for token in ids) + stream.close(is_cut=False)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("stops", [["STOP"], ["\n\n", "끝."], ["aab"], ["SSTO", "STOP"]])
def test_text_ends_before_the_first_stop_string(stops: list[str], seed: int) -> None:
    """However the text arrives, nothing of the stop string is given away."""
    text = "aaab SSTOP 다음.\n끝\n\n뒤 끝. STOP"
    expected = text[: min(text.find(stop) for stop in stops if stop in text)]
    stop_filter = StopFilter(stops)
    given = ""
    for piece in in_pieces(text, seed):
        given += stop_filter.push(piece)
        assert expected.startswith(given)
        if stop_filter.has_stopped:
            break

    assert expected == given + stop_filter.close()


@pytest.mark.parametrize("seed", range(5))
def test_text_without_a_stop_string_is_given_whole(seed: int) -> None:
    stop_filter = StopFilter(["STOP", ""])
    given = "".join(stop_filter.push(piece) for piece in in_pieces("a STO b ST", seed))

    assert "a STO b ST" == given + stop_filter.close()
    assert not stop_filter.has_stopped
