"""What is to be said of a recipe's tokens, as a value for the terminal, for programs and for reports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runner.price import Price
from runner.tokens.statistics import TokenStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTokens:
    """The tokens of one file; `n_inexact` examples have more than text, which is estimated."""

    name: str
    is_exact: bool
    n_inexact: int
    statistics: TokenStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReport:
    """The tokens of a recipe's files, training first. Without an exact counter, `missing` says what it takes.

    `error` is how far an estimate may be off; `trained_tokens` are those of all epochs.
    """

    counter: str
    missing: str
    error: str
    files: tuple[FileTokens, ...]
    epochs_text: str
    trained_tokens: int
    price: Price

    def data(self) -> Mapping[str, Any]:
        """The report as JSON data."""
        value = asdict(self)
        value["files"] = {
            each.name: {"exact": each.is_exact, "n_inexact": each.n_inexact, **asdict(each.statistics)}
            for each in self.files
        }
        return value
