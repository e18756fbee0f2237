"""Tokens of a recipe as plain text: totals, a histogram, roles, and what training on them costs."""

from collections.abc import Sequence

from runner.display import counted, one_line
from runner.token_report import FileTokens, TokenReport
from runner.tokens.statistics import Bin, TokenStatistics

BAR_CELLS = 32
# A bar ends in an eighth of a cell.
_EIGHTHS = " ▏▎▍▌▋▊▉"


def tokens_text(report: TokenReport) -> str:
    """The whole report."""
    lines = [_counter_line(report)]
    for file in report.files:
        lines += ["", *_file_lines(file)]
    return "\n".join([*lines, "", *_training_lines(report)])


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """A bar that fills `share` of its cells; what is not nothing is seen."""
    eighths = round(share * cells * 8)
    eighths = max(1, eighths) if share > 0 else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _counter_line(report: TokenReport) -> str:
    if report.missing:
        return f"tokens are estimated, {report.error}: {one_line(report.missing, limit=400)}"
    return f"counted with {report.counter}"


def _file_lines(file: FileTokens) -> list[str]:
    found = file.statistics
    about = "" if file.is_exact else "about "
    lines = [
        f"{file.name}: {counted(found.n_examples, 'example')}, {about}{found.n_tokens:,} tokens",
        f"  an example has {found.minimum:,} to {found.maximum:,} tokens, median {found.median:,}, "
        f"95 % have {found.p95:,} or fewer",
    ]
    if file.n_inexact:
        lines.append(
            f"  {file.n_inexact:,} examples have tools, calls, names or images, whose tokens are estimated"
        )
    lines += _histogram_lines(found.bins)
    if found.n_tokens:
        lines.append(f"  {_roles(found)}")
    return [*lines, *_limit_lines(file)]


def _histogram_lines(bins: Sequence[Bin]) -> list[str]:
    names = [f"{each.low:,}" + ("+" if each.high is None else f"–{each.high:,}") for each in bins]
    counts = [f"{each.n_examples:,}" for each in bins]
    most = max((each.n_examples for each in bins), default=1)
    name_width, count_width = max(map(len, names), default=0), max(map(len, counts), default=0)
    return [
        f"  {name:>{name_width}}  {count:>{count_width}}  {bar(each.n_examples / most)}".rstrip()
        for name, count, each in zip(names, counts, bins, strict=True)
    ]


def _roles(found: TokenStatistics) -> str:
    parts = sorted(found.roles.items(), key=lambda item: (-item[1], item[0]))
    shares = [(one_line(role, limit=20), count) for role, count in parts]
    shares.append(("chat format", found.format_tokens))
    return "by role: " + ", ".join(f"{name} {count / found.n_tokens:.1%}" for name, count in shares)


def _limit_lines(file: FileTokens) -> list[str]:
    found = file.statistics
    if found.limit is None:
        return []
    if not found.over:
        return [f"  none is longer than the model takes ({found.limit:,} tokens)"]
    shown = ", ".join(map(str, found.over_lines)) + (", …" if found.over > len(found.over_lines) else "")
    return [
        f"  {found.over:,} longer than the model takes ({found.limit:,} tokens), lines {shown}: "
        "their ends, the answers, would be cut off"
    ]


def _training_lines(report: TokenReport) -> list[str]:
    about = "" if report.files[0].is_exact and "estimated" not in report.epochs_text else "about "
    return [
        f"trained on: {about}{report.trained_tokens:,} tokens "
        f"({report.files[0].statistics.n_tokens:,} × {report.epochs_text})",
        f"price: {one_line(str(report.price), limit=300)}",
    ]
