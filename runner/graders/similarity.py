"""Measures how alike two texts are, with the field's own libraries."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runner.errors import MissingExtraError
from runner.graders.model import Metric
from runner.graders.tokens import tokenise

UNSUPPORTED = {
    "cosine": "cosine compares embeddings of text-embedding-3-large, which are not on this machine; "
    "use rouge_l or fuzzy_match"
}


class _Tokenizer:
    """What rouge-score takes for a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return tokenise(text)


class _NoSynonyms:
    """Stands for WordNet, which is English and has to be downloaded."""

    def synsets(self, word: str) -> list[Any]:
        return []


def similarity(metric: Metric, text: str, reference: str) -> float:
    """Compare two texts, 0 for nothing in common, 1 for equality. Raises MissingExtraError.

    BLEU counts characters; GLEU, METEOR and ROUGE the tokens of `runner.graders.tokens`. ROUGE is the F
    measure. METEOR matches equal words and stems, without synonyms, and is a little below 1 for equal texts:
    https://aclanthology.org/W05-0909 (2005), section 2.2.
    """
    try:
        return min(max(METRICS[metric](text, reference), 0.0), 1.0)
    except ImportError as error:
        raise MissingExtraError(
            f"The metric {metric} needs the extra `graders` ({error.name} is missing). "
            "Install it with: pip install 'finetune-runner[graders]'"
        ) from error


def _fuzzy_match(text: str, reference: str) -> float:
    from rapidfuzz import fuzz

    return float(fuzz.ratio(text, reference)) / 100


def _bleu(text: str, reference: str) -> float:
    from sacrebleu import sentence_bleu

    return float(sentence_bleu(text, [reference], tokenize="char").score) / 100


def _gleu(text: str, reference: str) -> float:
    from nltk.translate.gleu_score import sentence_gleu

    return float(sentence_gleu([tokenise(reference)], tokenise(text)))


def _meteor(text: str, reference: str) -> float:
    from nltk.translate.meteor_score import single_meteor_score

    return float(single_meteor_score(tokenise(reference), tokenise(text), wordnet=_NoSynonyms()))


def _rouge(kind: str, text: str, reference: str) -> float:
    from rouge_score.rouge_scorer import RougeScorer

    scores = RougeScorer([kind], tokenizer=_Tokenizer()).score(reference, text)
    return float(scores[kind].fmeasure)


METRICS: Mapping[Metric, Callable[[str, str], float]] = {
    "fuzzy_match": _fuzzy_match,
    "bleu": _bleu,
    "gleu": _gleu,
    "meteor": _meteor,
    "rouge_1": partial(_rouge, "rouge1"),
    "rouge_2": partial(_rouge, "rouge2"),
    "rouge_3": partial(_rouge, "rouge3"),
    "rouge_4": partial(_rouge, "rouge4"),
    "rouge_5": partial(_rouge, "rouge5"),
    "rouge_l": partial(_rouge, "rougeL"),
}
