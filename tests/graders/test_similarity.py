"""Similarity of texts, Korean above all."""

import random
from importlib.util import find_spec
from typing import get_args

import pytest

from runner.errors import MissingExtraError
from runner.graders.model import Metric
from runner.graders.similarity import similarity
from runner.graders.tokens import tokenise
from tests.graders import references

METRICS: tuple[Metric, ...] = get_args(Metric)
MISSING = [name for name in ("nltk", "rapidfuzz", "rouge_score", "sacrebleu") if find_spec(name) is None]
needs_libraries = pytest.mark.skipif(bool(MISSING), reason=f"{MISSING} (the extra `graders`) not installed")

KOREAN = "사업자 등록은 사업을 시작한 날부터 20일 안에 세무서에 신청합니다."
WORDS = """
사업자 등록을 신청 하려면 홈택스에서 세무서 서류가 필요합니다 날부터 20일 안에 부가가치세 신고 기한은
the register of companies opens at nine and closes five tax return form 東京 で 会社 を 作る
""".split()  # noqa: SIM905 - a text reads better


@needs_libraries
@pytest.mark.parametrize("metric", METRICS)
def test_identical_korean_is_equal_and_disjoint_korean_is_not(metric: Metric) -> None:
    """The usual tokenizers throw Korean away and score both 0."""
    identical = similarity(metric, KOREAN, KOREAN)

    # METEOR never quite reaches 1: it takes off half the cube of the share of pieces, here one of 26.
    n_tokens = len(tokenise(KOREAN))
    expected = 1 - 0.5 * (1 / n_tokens) ** 3 if metric == "meteor" else 1.0
    assert identical == pytest.approx(expected, abs=1e-12)
    assert similarity(metric, "가나다라마바", "하타카차자사") == 0.0


@needs_libraries
@pytest.mark.parametrize(
    ("metric", "expected"),
    [("rouge_1", 0.8), ("rouge_2", 0.5), ("rouge_l", 0.8), ("fuzzy_match", 10 / 12)],
)
def test_a_particle_costs_a_syllable_not_a_word(metric: Metric, expected: float) -> None:
    """세무서에 and 세무서를 share three of four syllables."""
    assert similarity(metric, "세무서에 감", "세무서를 감") == pytest.approx(expected)


@needs_libraries
@pytest.mark.parametrize("metric", METRICS)
def test_empty_texts_have_a_score(metric: Metric) -> None:
    """An answer may be empty."""
    assert similarity(metric, "", KOREAN) == 0.0
    assert 0.0 <= similarity(metric, "", "") <= 1.0


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "rapidfuzz", None)
    with pytest.raises(MissingExtraError) as caught:
        similarity("fuzzy_match", "a", "b")

    assert str(caught.value) == (
        "The metric fuzzy_match needs the extra `graders` (rapidfuzz is missing). "
        "Install it with: pip install 'finetune-runner[graders]'"
    )


def pairs(n: int) -> list[tuple[str, str]]:
    """Made-up answers beside references: some equal, some edited, some with nothing in common."""
    draw = random.Random(7)
    made = []
    for _ in range(n):
        reference = [draw.choice(WORDS) for _ in range(draw.randint(1, 25))]
        text = [word for word in reference if draw.random() > 0.2]
        text += [draw.choice(WORDS) for _ in range(draw.randint(0, 4))]
        if draw.random() < 0.2:
            draw.shuffle(text)
        made.append((" ".join(text), " ".join(reference)))
    return made


def written_again(metric: Metric, text: str, reference: str) -> float:
    """A metric from its definition."""
    tokens = tokenise(text), tokenise(reference)
    if metric == "fuzzy_match":
        return references.fuzzy_match(text, reference)
    if metric == "bleu":
        return references.bleu(text.replace(" ", ""), reference.replace(" ", ""))
    if metric == "gleu":
        return references.gleu(*tokens)
    if metric == "rouge_l":
        return references.rouge_l(*tokens)
    return references.rouge_n(*tokens, int(metric[-1]))


@pytest.mark.long
@needs_libraries
@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric != "meteor"])
def test_a_thousand_pairs_agree_with_the_definitions(metric: Metric) -> None:
    """To six places, Korean, English and Japanese mixed."""
    wrong = [
        (text, reference)
        for text, reference in pairs(1000)
        if abs(similarity(metric, text, reference) - written_again(metric, text, reference)) > 1e-6
    ]

    assert [] == wrong


@pytest.mark.long
@needs_libraries
def test_a_thousand_pairs_agree_with_the_libraries() -> None:
    """Called as their own documentation calls them."""
    from nltk.translate.meteor_score import single_meteor_score
    from rapidfuzz.distance import Indel
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import BLEU

    class Tokenizer:
        def tokenize(self, text: str) -> list[str]:
            return tokenise(text)

    class NoWords:
        def synsets(self, word: str) -> list[str]:
            return []

    kinds = ["rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rougeL"]
    rouge = RougeScorer(kinds, tokenizer=Tokenizer())
    bleu = BLEU(tokenize="char", effective_order=True)
    worst = 0.0
    for text, reference in pairs(1000):
        expected = {
            "fuzzy_match": Indel.normalized_similarity(text, reference),
            "bleu": bleu.sentence_score(text, [reference]).score / 100,
            "meteor": single_meteor_score(tokenise(reference), tokenise(text), wordnet=NoWords()),
        }
        scores = rouge.score(reference, text)
        expected |= {kind.replace("rouge", "rouge_").lower(): scores[kind].fmeasure for kind in kinds}
        for metric, value in expected.items():
            worst = max(worst, abs(similarity(metric, text, reference) - value))

    assert worst < 1e-6
