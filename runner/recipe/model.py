"""The recipe as a value: parsed once, trusted afterwards."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from runner.canonical import sha256_of

Scalar = str | int | float | bool | None
AUTO: Literal["auto"] = "auto"
Auto = Literal["auto"]
Method = Literal["supervised", "dpo", "reinforcement"]
Baseline = Literal["base_model", "few_shot", "retrieval", "retrieval_prompt"]
Opponent = Literal[Baseline, "locked"]
# Where answers of an evaluation are cut off, unless a recipe says otherwise.
MAX_ANSWER_TOKENS = 512
# The parts of a recipe that say how good it is, not what it makes.
JUDGING = ("checks", "tests", "evaluation")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Which share of a source's records is kept; a record's own key and the seed decide about it."""

    share: float
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Join:
    """The record of another source that belongs to a record: `on` is read here, `key` there."""

    source: str
    on: str
    key: str | None = None
    how: Literal["left", "inner"] = "left"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Records of a file or glob, of a URL, of a dataset on the hub, or of a query over other sources.

    `path` is relative to the recipe's folder, and empty where the records are no files of the project.
    `format` None means: from the suffix.
    """

    path: str = ""
    name: str | None = None
    url: str | None = None
    sha256: str | None = None
    hub: str | None = None
    files: str | None = None
    revision: str | None = None
    tables: tuple[str, ...] = ()
    query: str | None = None
    format: str | None = None
    records: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    sheet: str | None = None
    table: str | None = None
    member: str | None = None
    limit: int | None = None
    sample: Sample | None = None
    weight: float = 1.0
    join: Join | None = None


@dataclass(frozen=True, kw_only=True)
class Field:
    """How one template variable is read from a record. `has_default` tells a default of null from none."""

    name: str
    path: str
    default: Any = None
    has_default: bool = False
    required: bool = True
    join: str | None = None
    trim: bool = False
    collapse_space: bool = False


@dataclass(frozen=True, kw_only=True)
class MessageTemplate:
    """One message; `content` is a Jinja template unless `content_file` names a file that holds it.

    `images` names a field with the address of an image, or several.
    """

    role: str
    content: str | None = None
    content_file: str | None = None
    name: str | None = None
    weight: int | None = None
    images: str | None = None


@dataclass(frozen=True, kw_only=True)
class MessageList:
    """Messages taken from a list in the record: `from_field` holds objects with a role and a content key.

    `keep` names what else of each item is part of the message; items that are text alone are what `speakers`
    say in turn.
    """

    from_field: str
    role: str = "role"
    content: str = "content"
    roles: tuple[tuple[str, str], ...] = ()
    keep: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()


# The keys of a template that hold messages.
PARTS = ("messages", "input", "preferred_output", "non_preferred_output")


@dataclass(frozen=True, kw_only=True)
class Template:
    """One record to one training example; `name` is empty for a recipe with a single template.

    `shape` is the format that the records have, by name; then there are no messages, `roles` are names that
    the data have for speakers and `system` is a Jinja template for records without a system message. `tools`
    is a field, or the tools themselves as JSON. For preferences there are `input` and two outputs instead of
    messages; `item` names what graders see of a record beside its messages.
    """

    name: str
    messages: tuple[MessageTemplate | MessageList, ...] = ()
    shape: str | None = None
    roles: tuple[tuple[str, str], ...] = ()
    system: str | None = None
    tools: str | None = None
    input: tuple[MessageTemplate | MessageList, ...] = ()
    preferred_output: tuple[MessageTemplate | MessageList, ...] = ()
    non_preferred_output: tuple[MessageTemplate | MessageList, ...] = ()
    item: tuple[str, ...] = ()

    @property
    def parts(self) -> "dict[str, tuple[MessageTemplate | MessageList, ...]]":
        """The lists of messages that it has, by their keys."""
        return {name: getattr(self, name) for name in PARTS if getattr(self, name)}


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which share of the records validates; `group_by` names a field that keeps its records on one side.

    `near_repeats` is from which share of common text on an example is left out of validation.
    """

    validation: float = 0.0
    group_by: str | None = None
    seed: int = 0
    near_repeats: float | Literal["keep"] | None = None


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Values of the method; `auto` lets the provider choose. Names: OpenAI's `fine_tuning.jobs.create`.

    Those that one method alone has are None where the recipe does not state them: `beta` is DPO's, the ones
    after it reinforcement's.
    """

    n_epochs: int | Auto = AUTO
    batch_size: int | Auto = AUTO
    learning_rate_multiplier: float | Auto = AUTO
    beta: float | Auto | None = None
    compute_multiplier: float | Auto | None = None
    eval_interval: int | Auto | None = None
    eval_samples: int | Auto | None = None
    reasoning_effort: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The values by name, `auto` included, without those that only another method has."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class RecipeModel:
    """The model that another recipe makes under a profile; `recipe` is relative to this one's folder."""

    recipe: str
    profile: str = "default"

    def __str__(self) -> str:
        under = "" if self.profile == "default" else f" (profile {self.profile})"
        return f"the result of {self.recipe}{under}"


@dataclass(frozen=True, kw_only=True)
class Training:
    """What to train, where, and how; `options` are values that only this provider has.

    `grader` judges the answers of reinforcement: an object of the OpenAI API with our defaults filled in.
    """

    model: str | RecipeModel
    provider: str = "local"
    method: Method = "supervised"
    hyperparameters: Hyperparameters = Hyperparameters()
    seed: int = 0
    suffix: str | None = None
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    grader: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the tuned model has to reach; `by` below 0 is a loss that would be accepted."""

    metric: str
    better_than: Opponent | None = None
    by: float = 0
    min: float | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How the tuned model is judged. `graders` are objects of the OpenAI API with our defaults filled in."""

    graders: tuple[Mapping[str, Any], ...]
    on: Literal["validation", "training"] = "validation"
    sources: tuple[Source, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    shots: int = 3
    slices: tuple[str, ...] = ()
    limit: int | None = None
    max_tokens: int = MAX_ANSWER_TOKENS
    gate: Gate | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a run may cost; None means no limit was stated."""

    max_cost_usd: float | None = None


Level = Literal["error", "warning", "info", "off"]


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """Records that a check leaves alone: those of the keys, or those for which the expression is true."""

    code: str
    reason: str
    where: str | None = None
    records: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Checks:
    """How a dataset is judged; nothing here changes what is trained."""

    levels: tuple[tuple[str, Level], ...] = ()
    ignore: tuple[Ignore, ...] = ()
    json_answers: bool = False
    baseline: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExpectedMessage:
    """One message as a test states it."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a record should become: messages, nothing since `where` leaves it out, or an error."""

    messages: tuple[ExpectedMessage, ...] | None = None
    skipped: bool = False
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecipeTest:
    """A record, written out or named by its key, and what the recipe should make of it."""

    name: str
    expect: Expectation
    record: dict[str, Any] | None = None
    key: str | None = None
    variant: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole recipe under one profile. Equality is equality of meaning; nothing here depends on a path.

    `matrix` holds dotted paths with the values that jobs are made for; one combination of them has none.
    """

    name: str
    sources: tuple[Source, ...]
    fields: tuple[Field, ...]
    templates: tuple[Template, ...]
    training: Training
    description: str = ""
    key: str | None = None
    where: str | None = None
    split: Split = Split()
    limits: Limits = Limits()
    matrix: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()
    checks: Checks = Checks()
    tests: tuple[RecipeTest, ...] = ()
    evaluation: Evaluation | None = None

    @cached_property
    def sha256(self) -> str:
        """Hash of the recipe's meaning, not of its YAML text, without the parts that judge it."""
        value = {name: item for name, item in self.as_value().items() if name not in JUDGING}
        # A combination has no matrix, and is the same recipe as one that states its values.
        return sha256_of({name: item for name, item in value.items() if name != "matrix" or item})

    def as_value(self) -> dict[str, Any]:
        """The recipe as mappings and lists, to be hashed; later keys are there where they are used."""
        value = asdict(self)
        value["templates"] = [_template_value(template) for template in value["templates"]]
        training = _used(value["training"], ("grader",))
        training["hyperparameters"] = self.training.hyperparameters.as_dict()
        return {**value, "training": training, "split": _used(value["split"], ("near_repeats",))}


# What templates and messages without it do not have, so that the hashes of earlier versions stay.
_LATER_IN_TEMPLATES = ("shape", "roles", "system", "tools", "item", *PARTS[1:])
_LATER_IN_MESSAGES = ("name", "weight", "images", "keep", "speakers")


def _template_value(template: dict[str, Any]) -> dict[str, Any]:
    parts = {name: [_used(item, _LATER_IN_MESSAGES) for item in template[name]] for name in PARTS}
    return {**_used(template, _LATER_IN_TEMPLATES), "messages": parts.pop("messages"), **_filled(parts)}


def _filled(parts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: items for name, items in parts.items() if items}


def _used(value: dict[str, Any], later: tuple[str, ...]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item not in (None, ()) or name not in later}
