"""The metrics once more, written from their definitions, slowly and plainly."""

import math
from collections import Counter
from collections.abc import Sequence


def ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """Count the runs of n tokens."""
    return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))


def f_measure(n_common: int, n_text: int, n_reference: int) -> float:
    """Balance precision and recall."""
    return 2 * n_common / (n_text + n_reference) if n_common else 0.0


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for left in first:
        before = 0
        for place, right in enumerate(second, start=1):
            before, row[place] = row[place], before + 1 if left == right else max(row[place], row[place - 1])
    return row[-1]


def rouge_n(text: Sequence[str], reference: Sequence[str], n: int) -> float:
    """https://aclanthology.org/W04-1013 (2004), section 2, as an F measure."""
    left, right = ngrams(text, n), ngrams(reference, n)
    return f_measure((left & right).total(), left.total(), right.total())


def rouge_l(text: Sequence[str], reference: Sequence[str]) -> float:
    """https://aclanthology.org/W04-1013 (2004), section 3.1, as an F measure."""
    return f_measure(common_subsequence(text, reference), len(text), len(reference))


def fuzzy_match(text: str, reference: str) -> float:
    """The share of characters that insertions and deletions leave alone."""
    total = len(text) + len(reference)
    return 2 * common_subsequence(text, reference) / total if total else 1.0


def gleu(text: Sequence[str], reference: Sequence[str]) -> float:
    """https://arxiv.org/abs/1609.08144 (2016), section 3.2."""
    common = n_text = n_reference = 0
    for n in range(1, 5):
        left, right = ngrams(text, n), ngrams(reference, n)
        common, n_text, n_reference = (
            common + (left & right).total(),
            n_text + left.total(),
            n_reference + right.total(),
        )
    return common / max(n_text, n_reference) if common else 0.0


def bleu(text: Sequence[str], reference: Sequence[str]) -> float:
    """https://aclanthology.org/P02-1040 (2002), smoothed as sacrebleu's "exp", with the orders there are."""
    if not text or not reference:
        return 0.0
    logs, smooth = [], 1.0
    for n in range(1, 5):
        left = ngrams(text, n)
        if not left:
            break
        common = (left & ngrams(reference, n)).total()
        if n == 1 and not common:
            return 0.0
        if not common:
            smooth *= 2
        logs.append(math.log(common / left.total() if common else 1 / (smooth * left.total())))
    brevity = min(0.0, 1 - len(reference) / len(text))
    return math.exp(brevity + sum(logs) / len(logs))
