"""Rules about examples that are nearly the same, by MinHash and locality-sensitive hashing in one file."""

import sqlite3
import struct
import weakref
from collections.abc import Callable, Iterable
from typing import NamedTuple

from runner.dataset.checks.columns import Columns
from runner.dataset.checks.hits import LEFT_OUT_CODE, Hit, Origin
from runner.dataset.checks.rule import DatasetRule, Rule, Setup, Totals
from runner.dataset.checks.samples import ask, lines
from runner.dataset.split import Side

# 16 bands of 4: of pairs that share 80 % of their shingles two in ten thousand are missed, and of those that
# share half of them two thirds are looked at; their signatures tell them apart, give or take 5 %.
# Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.
N_HASHES, _ROWS = 64, 4
SHINGLE = 5
THRESHOLD = 0.8
_SEED = 20261123
_MIN_SHINGLES = 20
_WORD = (1 << 64) - 1
_PACKED = struct.Struct(f"<{N_HASHES}I")
_SIDES: dict[Side, int] = {"training": 0, "validation": 1}
_NEAREST = f"""
SELECT side, packed, place FROM signature WHERE exact <> ? AND id IN
(SELECT id FROM band WHERE hash IN ({",".join("?" * (N_HASHES // _ROWS))})) ORDER BY id
"""  # noqa: S608 - nothing but question marks


def signer() -> Callable[[str], tuple[int, ...]]:
    """The function that signs a text: the MinHash of its runs of five characters, empty for a short one."""
    from rensa import RMinHash

    def sign(text: str) -> tuple[int, ...]:
        flat = " ".join(text.lower().split())
        shingles = {flat[start : start + SHINGLE] for start in range(len(flat) - SHINGLE + 1)}
        if len(shingles) < _MIN_SHINGLES:
            return ()
        sketch = RMinHash(num_perm=N_HASHES, seed=_SEED)
        sketch.update(sorted(shingles))
        return tuple(sketch.digest())

    return sign


class _NearRepeats:
    """Signatures in a temporary database; memory stays the same however many there are."""

    def __init__(self, _: Setup) -> None:
        # An empty name is a file that SQLite makes and removes itself.
        self.connection = sqlite3.connect("")
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16384"):
            self.connection.execute(f"PRAGMA {pragma}")
        weakref.finalize(self, self.connection.close)
        columns = "id INTEGER PRIMARY KEY, exact INTEGER, side INTEGER, packed BLOB, place TEXT"
        self.connection.execute(f"CREATE TABLE signature ({columns})")
        # A band keeps the first example that had it: a popular one would make the work grow with its square.
        self.connection.execute("CREATE TABLE band (hash INTEGER PRIMARY KEY, id INTEGER)")
        self.n_seen = 0

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """FT401, FT402: the first earlier example that is near; exact repeats are FT107's."""
        for number, signature in examples.rare.signatures:
            origin = examples.origin(number)
            signed = _Signed(
                signature=signature,
                exact=_signed(examples.questions[number] * 3 ^ examples.answers[number] >> 2),
                side=_SIDES[examples.side(number)],
                place=f"{origin.file}: row {origin.row}",
            )
            bands = [hash_band(band, signature) for band in range(N_HASHES // _ROWS)]
            near = self._nearest(signed, bands)
            if near is not None:
                earlier_side, place, share = near
                code = "FT401" if earlier_side == signed.side else "FT402"
                yield number, Hit(code, {"place": place, "share": f"{share:.0%}"})
            self._add(signed, bands)

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """Nothing: all was said."""
        return ()

    def _nearest(self, signed: "_Signed", bands: list[int]) -> tuple[int, str, float] | None:
        for side, packed, place in self.connection.execute(_NEAREST, (signed.exact, *bands)):
            share = similarity(signed.signature, _PACKED.unpack(packed))
            if share >= THRESHOLD:
                return side, place, share
        return None

    def _add(self, signed: "_Signed", bands: list[int]) -> None:
        self.n_seen += 1
        row = (self.n_seen, signed.exact, signed.side, _PACKED.pack(*signed.signature), signed.place)
        self.connection.execute("INSERT INTO signature VALUES (?, ?, ?, ?, ?)", row)
        self.connection.executemany(
            "INSERT OR IGNORE INTO band VALUES (?, ?)", [(band, self.n_seen) for band in bands]
        )


class _Signed(NamedTuple):
    """An example with its signature; `exact` is equal where examples are."""

    signature: tuple[int, ...]
    exact: int
    side: int
    place: str


def _signed(value: int) -> int:
    return (value & _WORD) - (1 << 63)


def hash_band(number: int, signature: tuple[int, ...]) -> int:
    """One band of a signature as a signed number of 64 bits, the same everywhere."""
    value = number
    for part in signature[number * _ROWS : (number + 1) * _ROWS]:
        value = (value * 0x100000001B3 ^ part) * 0x9E3779B97F4A7C15 & _WORD
    return _signed(value)


def similarity(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The estimated share of shingles that two texts have in common (Jaccard)."""
    return sum(map(int.__eq__, one, other)) / len(one)


LEFT_OUT = Rule(
    code=LEFT_OUT_CODE,
    name="near-repeat-left-out",
    level="info",
    problem="an example nearly repeats that of {place} in the training file ({share} in common), so the "
    "validation file leaves it out.",
    advice="`split.near_repeats` sets from which share on, or keeps them; `split.group_by` moves records "
    "that belong together to one side.",
    description="The validation file leaves out what shares 80 % of its text with the training file.",
    why="What was nearly trained on measures memory. Done for up to 100,000 records, for more where "
    "`split.near_repeats` is set; the training file keeps all its examples.",
    bad="a question of the validation file that the training file has with another comma",
    good="questions of the validation file that are unlike those of the training file",
)
NOT_COMPARED = Rule(
    code="FT407",
    name="near-repeats-not-sought",
    level="info",
    problem="the examples are too many, or too alike, to be compared unasked, so the validation file may "
    "nearly repeat the training file.",
    advice="`split.near_repeats: 0.8` compares them however long that takes, `keep` says that it need not "
    "be.",
    description="Examples are few enough to look for near repeats unasked, or the recipe says what to do.",
    why="Looking takes seconds for up to 100,000 records and minutes beyond; what was not looked for should "
    "be known.",
    bad="200,000 records with `split: {validation: 0.1}`",
    good="the same with `near_repeats: keep`",
)
NEAR_RULES = (
    DatasetRule(
        rules=(
            Rule(
                code="FT401",
                name="near-repeat",
                level="off",
                problem="an example is nearly the same as that of {place} ({share} in common), expected "
                "one of them.",
                advice="Leave one out with `where`, or keep both if the difference matters.",
                description="No two examples share 80 % of their text (MinHash of runs of five characters).",
                why="Near repeats weigh as much as repeats and hide in counts; off unless a recipe asks "
                "for it.",
                bad=lines(
                    ask(
                        "How do I reset the Dewlatch controller?",
                        "Hold the blue button for ten seconds, then wait.",
                    ),
                    ask(
                        "How do I reset the Dewlatch controller?",
                        "Hold the blue button for ten seconds, then wait!",
                    ),
                ),
                good=lines(
                    ask(
                        "How do I reset the Dewlatch controller?",
                        "Hold the blue button for ten seconds, then wait.",
                    ),
                    ask("Which batteries does it take?", "Four of size AA, alkaline or rechargeable ones."),
                ),
            ),
            Rule(
                code="FT402",
                name="near-leak",
                level="off",
                problem="an example is nearly the same as that of {place} on the other side of the split "
                "({share} in common), so validation measures memory.",
                advice="Set `split.group_by` to a field they share, or leave one out.",
                description="No example of the validation file shares 80 % of its text with the training "
                "file.",
                why="As FT109, for questions that differ in a comma; off unless a recipe asks for it.",
                bad="two such examples on different sides of the split",
                good="two such examples on one side of the split",
            ),
        ),
        start=_NearRepeats,
    ),
)
