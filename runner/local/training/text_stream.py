"""Turns generated tokens into text that can be sent while more is coming."""

from collections.abc import Sequence
from typing import Any

REPLACEMENT = "\ufffd"  # what a tokenizer decodes to where a character is not complete yet


class TextStream:
    """Decodes one answer token by token; never gives half a character."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        # Decoding starts a little before the new tokens: some tokenizers drop a space at the start of any
        # text.
        self._context_start = 0
        self._given_end = 0

    def push(self, token_id: int) -> str:
        """Take the next token and return the text that it completes, often none."""
        self._ids.append(token_id)
        text = self._pending()
        if not text or text.endswith(REPLACEMENT):
            return ""
        self._context_start, self._given_end = self._given_end, len(self._ids)
        return text

    def close(self, *, is_cut: bool) -> str:
        """Return what was held back at the end; an answer that was cut loses its unfinished character."""
        text = self._pending()
        return text.rstrip(REPLACEMENT) if is_cut else text

    def _pending(self) -> str:
        given = self._decode(self._ids[self._context_start : self._given_end])
        return self._decode(self._ids[self._context_start :])[len(given) :]

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


class StopFilter:
    """Ends a text before the first stop string, also when that arrives in pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.has_stopped = False

    @property
    def rest(self) -> str:
        """The text from the stop string on."""
        return self._held if self.has_stopped else ""

    def push(self, text: str) -> str:
        """Take more text and return what cannot be part of a stop string."""
        self._held += text
        found = [self._held.index(stop) for stop in self._stops if stop in self._held]
        if found:
            self.has_stopped = True
            return self._give(min(found))
        return self._give(len(self._held) - self._n_doubtful())

    def close(self) -> str:
        """Return the text that was held back for a stop string which never came."""
        return "" if self.has_stopped else self._give(len(self._held))

    def _give(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text

    def _n_doubtful(self) -> int:
        """Count the final characters that may begin a stop string."""
        lengths = (
            length
            for stop in self._stops
            for length in range(min(len(stop) - 1, len(self._held)), 0, -1)
            if self._held.endswith(stop[:length])
        )
        return max(lengths, default=0)
