"""Rules about a dataset as a whole."""

from collections.abc import Iterable

from runner.dataset.checks.columns import Columns
from runner.dataset.checks.hits import Hit, Origin
from runner.dataset.checks.rule import DatasetRule, Rule, Setup, Totals


class _Totals:
    """Looks at the numbers in the end."""

    def __init__(self, setup: Setup) -> None:
        self.limits = setup.limits

    def observe(self, examples: Columns) -> Iterable[tuple[int, Hit]]:
        """Nothing: the totals are told."""
        return ()

    def finish(self, totals: Totals) -> Iterable[tuple[Origin | None, Hit]]:
        """FT101, FT110, FT112, FT120."""
        limits = self.limits
        if totals.n_training < limits.min_examples:
            yield None, Hit("FT101", {"found": totals.n_training, "limit": limits.min_examples})
        if totals.split_asked and totals.n_validation == 0:
            yield None, Hit("FT110", {})
        if not totals.keyed:
            yield None, Hit("FT112", {})
        sizes = {"training": totals.training_bytes, "validation": totals.validation_bytes}
        for name, size_bytes in sizes.items():
            if limits.max_file_bytes is not None and size_bytes > limits.max_file_bytes:
                limit = f"{limits.max_file_bytes:,}"
                yield None, Hit("FT120", {"name": name, "found": f"{size_bytes:,}", "limit": limit})


TOTAL_RULES = (
    DatasetRule(
        rules=(
            Rule(
                code="FT101",
                name="too-few-examples",
                level="error",
                is_enforced=True,
                problem="found {found} training examples, expected at least {limit}.",
                advice="Add records, or loosen `where`.",
                description="The training file has as many examples as the host asks for.",
                why="Hosted services refuse smaller files, OpenAI below 10 examples.",
                bad="a training file of 9 examples",
                good="a training file of 10 examples",
            ),
            Rule(
                code="FT110",
                name="empty-validation",
                level="warning",
                problem="`split.validation` is set, but no record fell on that side.",
                advice="Raise it, or add records.",
                description="A split that was asked for holds something out.",
                why="Without a validation file nobody sees when the model begins to memorise.",
                bad="`split: {validation: 0.01}` with 12 records",
                good="`split: {validation: 0.2}` with 12 records",
            ),
            Rule(
                code="FT112",
                name="no-key",
                level="warning",
                problem="the recipe has no `key`, so an edited record counts as a new one and may change "
                "sides.",
                advice="Name the field that identifies a record.",
                description="The recipe names what identifies a record.",
                why="Split, diff, baselines and suppressions follow the key. Without one they follow the "
                "content.",
                bad="a recipe without `key`",
                good="`key: url`",
            ),
            Rule(
                code="FT120",
                name="file-too-large",
                level="error",
                is_enforced=True,
                problem="the {name} file has {found} bytes, expected at most {limit}.",
                advice="Leave records out with `where`, or shorten them.",
                description="A dataset file is no larger than the host takes.",
                why="The upload would be refused after minutes of sending, OpenAI's above 512 MB.",
                bad="a training file of 600 MB",
                good="a training file of 500 MB",
            ),
        ),
        start=_Totals,
    ),
)
