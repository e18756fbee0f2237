"""A curve in characters: braille dots where the terminal has them, stars elsewhere."""

from collections.abc import Iterator, Sequence

# The bits of a braille cell's two columns from top to bottom: https://www.unicode.org/charts/PDF/U2800.pdf
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800
_LABEL = 9


def curve_lines(values: Sequence[float], width: int, height: int, *, plain: bool = False) -> list[str]:
    """A curve of so many columns and lines, labelled with its highest and lowest value.

    `plain` uses ASCII alone. Empty where there is too little to draw or no room for it.
    """
    columns = width - _LABEL - 1
    if len(values) < 2 or columns < 8 or height < 2:
        return []
    across, down = (1, 1) if plain else (2, 4)
    low, high = min(values), max(values)
    cells = [[0] * columns for _ in range(height)]
    dots = height * down
    for x, y in _dots(values, columns * across, dots, (low, high)):
        cells[y // down][x // across] |= 1 if plain else _BITS[x % 2][y % 4]
    labels = {0: f"{high:.4g}", height - 1: f"{low:.4g}"}
    frame = "|" if plain else "│"
    return [
        f"{labels.get(line, '').rjust(_LABEL - 1)} {frame}{_row(row, plain=plain)}".rstrip()
        for line, row in enumerate(cells)
    ]


def _row(cells: Sequence[int], *, plain: bool) -> str:
    if plain:
        return "".join("*" if cell else " " for cell in cells)
    return "".join(chr(_BRAILLE + cell) if cell else " " for cell in cells)


def _dots(
    values: Sequence[float], columns: int, rows: int, span: tuple[float, float]
) -> Iterator[tuple[int, int]]:
    """The dots of a line; each column has all values that fall into it, joined to those before."""
    low, high = span
    scale = (rows - 1) / (high - low) if high > low else 0.0
    heights = [rows - 1 - round((value - low) * scale) for value in values]
    used = min(columns, len(values))
    before = heights[0]
    for column in range(used):
        part = heights[column * len(values) // used : (column + 1) * len(values) // used]
        top, bottom = min(part), max(part)
        for row in range(min(top, before), max(bottom, before) + 1):
            yield column, row
        before = part[-1]
