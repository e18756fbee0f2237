"""An example's bytes are those that the rest of the program computes in its own way."""

import sys

import pytest

from runner.dataset.conversation import text_bytes, text_encoder
from runner.dataset.write import training_line
from runner.examples.read import Example, Message


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message("user", ""),),
        (Message("system", "100% %s %b"), Message("user", '가 "q"\\\n\u2028\0'), Message("assistant", "😀")),
        (Message("도우미 %", "x"), Message('a"b', "y")),
    ],
)
def test_line_and_digest_are_equal(messages: tuple[Message, ...]) -> None:
    example = Example(key="k", group=None, variant="", messages=messages, file="f", row=1)

    made = text_bytes(messages)

    assert (training_line(messages), example.digest) == (made.line, made.digest.hex())


def test_every_character_is_written_the_same() -> None:
    text = "".join(map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1))))

    assert training_line([Message("user", text)]) == text_bytes([("user", text)]).line
    assert b'"\\u0000\\t\\"\\\\/"' == text_encoder()('\0\t"\\/')
