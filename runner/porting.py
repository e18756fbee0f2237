"""A recipe at another host: its training worded anew, its data and price there, and the profile for it."""

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from runner import pipeline
from runner.building import build, supply_sources
from runner.canonical import write_atomically
from runner.dataset.value import Dataset
from runner.errors import InvalidInputError, RunnerError, UsageError
from runner.operator import Operator, today_of
from runner.price import Price, price_of, retirement
from runner.providers.hosts import Host, find_host
from runner.providers.porting import Porting, port_training
from runner.recipe.choosing import with_one_dataset
from runner.recipe.composition import DEFAULT_PROFILE
from runner.recipe.edit import EditError, set_profile
from runner.recipe.load import LoadedRecipe
from runner.recipe.model import AUTO
from runner.recipe.yaml import parse_yaml

# What a profile may state of its training besides what a port decides.
_KEPT = ("seed", "method", "suffix", "options")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a port would do: the recipe with its new profile, and what the target makes of its data."""

    loaded: LoadedRecipe
    porting: Porting
    profile: str
    before: str
    after: str
    price_before: Price
    price_after: Price
    dataset: Dataset
    n_runs: int
    today: date

    @property
    def closing(self) -> str:
        """When the target's model is closed; empty where nobody said so."""
        return closing_of(self.porting.target, self.porting.model, self.today)

    def diff(self) -> str:
        """The change of the recipe as a unified diff."""
        name = self.loaded.project.name_of(self.loaded.path)
        lines = unified_diff(
            self.before.splitlines(), self.after.splitlines(), f"a/{name}", f"b/{name}", lineterm=""
        )
        return "\n".join(lines)

    def write(self) -> None:
        """Write the recipe, if it is still what was read. Raises RunnerError."""
        if self.loaded.path.read_bytes().decode("utf-8") != self.before:
            raise RunnerError(f"{self.loaded.file} changed meanwhile. Run the command again.")
        write_atomically(self.loaded.path, self.after.encode("utf-8"))


def closing_of(host: Host, name: str, today: date) -> str:
    """Since or from when a model takes no new jobs and is gone, in a sentence; empty without a date."""
    model = host.model(name)
    if model is None:
        return ""
    said = [retirement(model, today)] if model.shutdown_date else []
    if model.no_new_jobs_from:
        said.insert(0, f"no new jobs from {model.no_new_jobs_from}")
    return "; ".join(filter(None, said))


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a recipe is ported to, and as which profile: the host's name unless one is given."""

    host: str
    model: str | None = None
    profile: str | None = None
    replaces: bool = False


def propose(path: Path, operator: Operator, to: Destination) -> Proposal:
    """Work out the port of a recipe to another host; nothing is written.

    Raises UsageError for what cannot be ported, InvalidInputError where the result would not be valid or its
    data would not do there.
    """
    loaded = pipeline.validate(path, operator)
    source = find_host(loaded.recipe.training.provider, operator.user_hosts, loaded.project)
    target = find_host(to.host, operator.user_hosts, loaded.project)
    porting = port_training(loaded.recipe.training, source, target, to.model)
    profile = to.profile or to.host
    before = loaded.path.read_bytes().decode("utf-8")
    stated = _stated_profiles(before)
    if profile == DEFAULT_PROFILE or (profile in stated and not to.replaces):
        raise UsageError(
            f"{loaded.file} has a profile '{profile}' already. Name another one with --as, or --replace it."
        )
    try:
        after = set_profile(before, profile, _overlay(stated.get(loaded.profile), porting))
    except EditError as error:
        raise RunnerError(
            f"{loaded.file}: {error}, so the profile cannot be added without changing more. "
            "`finetune fmt` lays the recipe out; then run the command again."
        ) from error
    supply_sources(loaded, operator)
    tried = _tried(loaded, after, replace(operator, profile=profile))
    _refuse_other(tried, loaded, porting, profile)
    one, there = with_one_dataset(loaded, ()), with_one_dataset(tried, ())
    effort = operator.effort
    dataset = build(there, target, effort=effort)
    here = price_of(one.recipe, build(one, source, effort=effort), source, source.model(one.root_model))
    return Proposal(
        loaded=loaded,
        porting=porting,
        profile=profile,
        before=before,
        after=after,
        price_before=here,
        price_after=price_of(there.recipe, dataset, target, target.model(porting.model)),
        dataset=dataset,
        n_runs=len(tried.combinations) or 1,
        today=today_of(operator),
    )


def _stated_profiles(text: str) -> dict[str, Any]:
    document, _ = parse_yaml(text.encode("utf-8"), "recipe")
    profiles = document.value.get("profiles") if document is not None else None
    return profiles if isinstance(profiles, dict) else {}


def _overlay(stated: Any, porting: Porting) -> dict[str, Any]:
    """What the profile that was ported states, with the training of the target."""
    overlay = deepcopy(stated) if isinstance(stated, dict) else {}
    before, after = overlay.get("training"), porting.overlay["training"]
    kept = {key: value for key, value in before.items() if key in _KEPT} if isinstance(before, dict) else {}
    return {**overlay, "training": {**kept, **after}}


def _refuse_other(tried: LoadedRecipe, loaded: LoadedRecipe, porting: Porting, profile: str) -> None:
    """Raise UsageError where files that the recipe extends make something else of the profile."""
    training, stated = tried.recipe.training, porting.overlay["training"]
    kept = {name: value for name, value in training.hyperparameters.as_dict().items() if value != AUTO}
    is_asked = (training.provider, training.model) == (stated["provider"], stated["model"])
    is_same = replace(loaded.recipe, training=training) == tried.recipe
    if not (is_asked and is_same and kept == stated.get("hyperparameters", {})):
        raise UsageError(
            f"{loaded.file}: the profile '{profile}' would not say what was ported, because a file that the "
            "recipe extends has a part in it too. Name another one with --as, or port that file."
        )


def _tried(loaded: LoadedRecipe, text: str, operator: Operator) -> LoadedRecipe:
    """The recipe as it would be, read under another name beside it. Raises InvalidInputError."""
    with NamedTemporaryFile(dir=loaded.folder, prefix=".porting.", suffix=".yaml") as stream:
        stream.write(text.encode("utf-8"))
        stream.flush()
        try:
            return pipeline.validate(Path(stream.name), operator)
        except InvalidInputError as error:
            name = loaded.project.name_of(Path(stream.name))
            raise InvalidInputError(
                [
                    replace(
                        issue, place=replace(issue.place, file=issue.place.file.replace(name, loaded.file))
                    )
                    for issue in error.issues
                ]
            ) from error
