"""Two results of a job, compared by name."""

from runner.upkeep.results import changed_values


def test_only_what_differs_is_named_in_order() -> None:
    before = {"status": "running", "n_epochs": 3, "trained_tokens": None}
    after = {"status": "succeeded", "n_epochs": 3, "trained_tokens": 1700, "weights of torch-x": "1" * 64}

    assert [
        "status running → succeeded",
        "trained_tokens none → 1700",
        f"weights of torch-x none → {'1' * 64}",
    ] == changed_values(before, after)
