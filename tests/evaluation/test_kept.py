"""The last evaluation of a run is there whole, or not at all."""

from pathlib import Path

from runner.evaluation.kept import keep_evaluation, kept_evaluation
from tests.evaluation.evaluations import evaluation


def test_an_evaluation_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    first, second = evaluation(tuned=[1.0, None], base=[0.0, 1.0]), evaluation(tuned=[0.5], base=[0.25])
    keep_evaluation(first, tmp_path, "faq.yaml")
    keep_evaluation(second, tmp_path, "other.yaml")

    assert [first, second] == [kept_evaluation(tmp_path, name) for name in ("faq.yaml", "other.yaml")]
    keep_evaluation(second, tmp_path, "faq.yaml")
    assert second == kept_evaluation(tmp_path, "faq.yaml")


def test_one_of_another_version_is_none(tmp_path: Path) -> None:
    keep_evaluation(evaluation(tuned=[1.0]), tmp_path, "faq.yaml")
    [file] = (tmp_path / "last").iterdir()
    file.write_text('{"recipe": "faq"}', encoding="utf-8")

    assert [None, None] == [kept_evaluation(tmp_path, name) for name in ("faq.yaml", "never")]
