"""Times the search for near repeats across the split against datasketch, and counts what each finds."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from runner.dataset.near_parts import find_near_repeats
from runner.dataset.near_repeats import Search
from runner.dataset.near_texts import flat, said
from runner.examples.content import content_of_line, turns_of

SEED, THRESHOLD, RUN = 20_261_123, 0.8, 4
# datasketch's own default, and what it recommends for a threshold of 0.8.
N_HASHES = 128
VOCABULARY, COMMON_WORDS = 20_000, 3_000
# Every so many examples of the validation file repeat one of the training file, but for some words.
REPEATS_EVERY, CHANGED_WORDS = 20, 6
# 1.3 kB of UTF-8.
CHARACTERS = {"korean": 500, "english": 1_300}


def main() -> None:
    """Write both files, let each search them in a process of its own, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--with", dest="others", nargs="*", choices=["datasketch"], default=[])
    parser.add_argument("--one", nargs=2, metavar=("WHO", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        who, folder = arguments.one
        if who in CHARACTERS:
            print(write_files(Path(folder), who, arguments.records))
        else:
            print(len(SEARCHES[who](Path(folder) / "training.jsonl", Path(folder) / "validation.jsonl")))
        return
    print(f"{arguments.records} records, a tenth held out; {os.cpu_count()} cores")
    print(f"{'':<20}{'s':>8}{'MB each':>9}{'found':>8}{'of':>8}")
    for language in CHARACTERS:
        with tempfile.TemporaryDirectory() as folder:
            # In processes of their own: what one held would count as the next one's memory.
            _, _, n_planted = run(language, folder, arguments.records)
            for who in ["ours", *arguments.others]:
                taken, peak_mb, n_found = run(who, folder, arguments.records)
                print(
                    f"{language + ', ' + who:<20}{taken:>8.1f}{peak_mb:>9.0f}{n_found:>8}{n_planted:>8}",
                    flush=True,
                )


def run(who: str, folder: str, count: int) -> tuple[float, float, int]:
    """Seconds, the most memory of the process in MB, and the number that it prints."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--records", str(count), "--one", who, folder]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
        output.seek(0)
        number = int(output.read() or 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{who} failed")
    return taken, usage.ru_maxrss / 1024, number


def ours(training: Path, validation: Path) -> dict[int, int]:
    """The search of a build."""
    found = find_near_repeats(Search(training, validation, THRESHOLD)) or {}
    return {line: near.training_line for line, near in found.items()}


def datasketch(training: Path, validation: Path) -> dict[int, int]:
    """An index of the smaller file, each candidate compared in full; runs of characters as ours."""
    from datasketch import MinHash, MinHashLSH

    def signed(runs: set[str]) -> MinHash:
        signature = MinHash(num_perm=N_HASHES)
        signature.update_batch([run.encode() for run in runs])
        return signature

    index = MinHashLSH(threshold=THRESHOLD, num_perm=N_HASHES)
    held_out = list(map(runs_of, texts(validation)))
    for line, runs in enumerate(held_out):
        index.insert(line, signed(runs))
    best: dict[int, tuple[float, int]] = {}
    for number, text in enumerate(texts(training)):
        runs = runs_of(text)
        for line in index.query(signed(runs)):
            share = len(runs & held_out[line]) / len(runs | held_out[line])
            if share >= THRESHOLD and share > best.get(line, (0.0, 0))[0]:
                best[line] = (share, number)
    return {line: number for line, (_, number) in sorted(best.items())}


SEARCHES = {"ours": ours, "datasketch": datasketch}


def texts(path: Path) -> Iterator[str]:
    """What the examples of a file say."""
    with path.open("rb") as lines:
        for line in lines:
            yield said(turns_of(content_of_line(json.loads(line))))


def runs_of(text: str) -> set[str]:
    """The runs of four characters of a text."""
    characters = flat(text)
    return {characters[start : start + RUN] for start in range(max(1, len(characters) - RUN + 1))}


def write_files(folder: Path, language: str, count: int) -> int:
    """Texts of invented words, the same for everybody, of which few are common; how many nearly repeat."""
    draw = random.Random(SEED)
    words = [word(draw, language) for _ in range(VOCABULARY)]
    trained: list[list[str]] = []
    n_planted = 0
    with (folder / "training.jsonl").open("w") as training, (folder / "validation.jsonl").open("w") as held:
        for number in range(count):
            chosen = text(draw, words, CHARACTERS[language])
            if number % 10 == 0 and number // 10 % REPEATS_EVERY == 1:
                n_planted += 1
                chosen = list(draw.choice(trained))
                for _ in range(CHANGED_WORDS):
                    chosen[draw.randrange(len(chosen))] = draw.choice(words)
            elif number % 10:
                trained.append(chosen)
            messages = [{"role": "user", "content": f"{number}?"}]
            messages.append({"role": "assistant", "content": " ".join(chosen)})
            (training if number % 10 else held).write(json.dumps({"messages": messages}) + "\n")
    return n_planted


def word(draw: random.Random, language: str) -> str:
    """A word of one to four syllables."""
    if language == "korean":
        return "".join(chr(draw.randrange(ord("가"), ord("힣") + 1)) for _ in range(draw.randint(1, 4)))
    return "".join(draw.choice("bcdfghlmnprstvw") + draw.choice("aeiou") for _ in range(draw.randint(1, 4)))


def text(draw: random.Random, words: list[str], n_characters: int) -> list[str]:
    """Words until there are enough characters."""
    chosen: list[str] = []
    while sum(map(len, chosen)) + len(chosen) < n_characters:
        chosen.extend(words[min(int(draw.expovariate(1 / COMMON_WORDS)), VOCABULARY - 1)] for _ in range(8))
    return chosen


if __name__ == "__main__":
    main()
