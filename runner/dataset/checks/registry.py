"""All checks there are."""

from runner.dataset.checks.characters import CHARACTER_RULES
from runner.dataset.checks.encoding import ENCODING_RULES
from runner.dataset.checks.images import IMAGE_DATASET_RULES, IMAGE_RULES
from runner.dataset.checks.judged import JUDGED_RULES
from runner.dataset.checks.length import LENGTH_RULES
from runner.dataset.checks.near import LEFT_OUT, NEAR_RULES, NOT_COMPARED
from runner.dataset.checks.personal import PERSONAL_RULES
from runner.dataset.checks.repeats import REPEAT_RULES
from runner.dataset.checks.residue import RESIDUE_RULES
from runner.dataset.checks.rule import DatasetRule, ExampleRule, Rule
from runner.dataset.checks.secrets import SECRET_RULES
from runner.dataset.checks.shape import SHAPE_RULES
from runner.dataset.checks.statistics import STATISTICS_RULES
from runner.dataset.checks.tools import TOOL_RULES
from runner.dataset.checks.totals import TOTAL_RULES

UNUSED_IGNORE = Rule(
    code="FT901",
    name="unused-suppression",
    level="warning",
    problem="`checks.ignore[{index}]` ignores {ignored}, which nothing it names has; expected at least one.",
    advice="Remove it.",
    description="Every entry under `checks.ignore` still ignores something.",
    why="A suppression that outlives its reason hides the next problem of its kind.",
    bad="`ignore: [{code: FT303, records: [a], reason: …}]` when record a has no address",
    good="the same when it has one",
)

EXAMPLE_RULES: tuple[ExampleRule, ...] = (
    *SHAPE_RULES,
    *LENGTH_RULES,
    *TOOL_RULES,
    *IMAGE_RULES,
    *JUDGED_RULES,
    *CHARACTER_RULES,
    *ENCODING_RULES,
    *RESIDUE_RULES,
    *SECRET_RULES,
    *PERSONAL_RULES,
)
DATASET_RULES: tuple[DatasetRule, ...] = (
    *REPEAT_RULES,
    *TOTAL_RULES,
    *IMAGE_DATASET_RULES,
    *NEAR_RULES,
    *STATISTICS_RULES,
)
RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in sorted(
        (
            *(item.rule for item in EXAMPLE_RULES),
            *(rule for item in DATASET_RULES for rule in item.rules),
            LEFT_OUT,
            NOT_COMPARED,
            UNUSED_IGNORE,
        ),
        key=lambda rule: rule.code,
    )
}
