"""Datasets of recipes, built or found built, by the measure of the chosen host and model."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

from runner.canonical import sha256_of
from runner.dataset.build import DEFAULT_EFFORT, Effort, build_dataset
from runner.dataset.cache import cache_key, pieces_key, read_cached, write_cached
from runner.dataset.checks import DatasetLimits
from runner.dataset.checks.baseline import read_baseline, with_baseline
from runner.dataset.checks.checker import effective_levels
from runner.dataset.checks.settings import baseline_path
from runner.dataset.hashed_files import HashedFiles
from runner.dataset.inputs import find_inputs, find_templates, source_sizes
from runner.dataset.kept_pieces import KEPT_FROM_BYTES, MAX_BYTES, KeptPieces, trim
from runner.dataset.tokens import (
    SMALL_VOCABULARY_MARGIN,
    CountedTokens,
    EstimatedTokens,
    TokenCounter,
    can_count,
    spared,
)
from runner.dataset.value import Dataset
from runner.errors import RunnerError
from runner.operator import Operator
from runner.plan_changes import section_hashes
from runner.providers.hosts import Host
from runner.recipe.load import LoadedRecipe
from runner.sources.supply import supply


def supply_sources(loaded: LoadedRecipe, operator: Operator) -> None:
    """Download what sources name outside the project, if the operator lets them. Raises InvalidInputError."""
    supply(loaded.recipe.sources, loaded.project, allow_network=operator.allow_network, say=operator.say)


def build(
    loaded: LoadedRecipe,
    host: Host,
    *,
    use_cache: bool = True,
    read_all: bool = False,
    effort: Effort = DEFAULT_EFFORT,
) -> Dataset:
    """Build, or find built, the dataset of a recipe; findings that its baseline lacks are part of it.

    `read_all` hashes even the sources that nothing touched since they were hashed. Raises InvalidInputError,
    and RunnerError for a cluster that fails.
    """
    dataset = build_unfiltered(loaded, host, use_cache=use_cache, read_all=read_all, effort=effort)
    path = baseline_path(loaded)
    if path is None:
        return dataset
    return with_baseline(
        dataset, read_baseline(path, loaded.project.name_of(path)), effective_levels(loaded.recipe.checks)
    )


def build_unfiltered(
    loaded: LoadedRecipe,
    host: Host,
    *,
    use_cache: bool = True,
    read_all: bool = False,
    effort: Effort = DEFAULT_EFFORT,
) -> Dataset:
    """As `build`, with all findings."""
    state = loaded.project.make_state()
    folder, cache = state / "datasets", state / "cache"
    hashed = HashedFiles(cache / "files.json" if use_cache else None, trusted=not read_all)
    limits, counter = build_yardstick(loaded, host)
    made_by = pieces_key(loaded.recipe, find_templates(loaded, hashed), limits, counter)
    sizes = source_sizes(loaded)
    # What certainly nobody built yet is hashed while it is built.
    is_new = any(hashed.is_other(loaded.project.name_of(path), size) for path, size in sizes.items())
    with ThreadPoolExecutor(1) as thread:
        hashing = thread.submit(find_inputs, loaded, hashed)
        if use_cache and not is_new:
            cached = read_cached(cache, cache_key(loaded.recipe, hashing.result(), limits, counter), folder)
            if cached is not None:
                hashed.save()
                return cached
        is_kept = use_cache and sum(sizes.values()) >= KEPT_FROM_BYTES
        kept = KeptPieces(cache / "pieces", made_by) if is_kept else None
        dataset = build_dataset(loaded, hashing, folder, (limits, counter), replace(effort, kept=kept))
        inputs = hashing.result()
    if kept is not None:
        trim(kept.folder, MAX_BYTES)
    if inputs != find_inputs(loaded, hashed):
        raise RunnerError("a source file changed while it was being read. Run the command again.")
    hashed.save()
    write_cached(cache, cache_key(loaded.recipe, inputs, limits, counter), dataset)
    return dataset


def build_yardstick(loaded: LoadedRecipe, host: Host) -> tuple[DatasetLimits, TokenCounter]:
    """As `yardstick`, for a build: tokens are exact only where an example may be too long."""
    limits, counter = yardstick(loaded, host)
    return limits, spared(counter, limits.max_example_tokens)


def yardstick(loaded: LoadedRecipe, host: Host) -> tuple[DatasetLimits, TokenCounter]:
    """What the chosen host and model accept, and how their tokens are counted."""
    return yardstick_of(host, loaded.root_model)


def yardstick_of(host: Host, name: str | None) -> tuple[DatasetLimits, TokenCounter]:
    """What a host and one of its models accept; without a model no length is too long."""
    model = host.model(name) if name is not None else None
    limits = DatasetLimits(
        min_examples=host.limits.min_examples,
        max_example_tokens=model.max_example_tokens if model else None,
        takes_tools=model.takes_tools if model else True,
        # What a hosted model without an entry takes is for its host to say.
        takes_images=model.takes_images if model else not host.is_local,
    )
    if model is None or model.tokenizer is None:
        return limits, EstimatedTokens()
    if can_count():
        return limits, CountedTokens(model.tokenizer, model.chat_format)
    return limits, EstimatedTokens(SMALL_VOCABULARY_MARGIN)


def data_key(loaded: LoadedRecipe, host: Host) -> str:
    """What tells the datasets of recipes apart that are planned at one moment."""
    limits, counter = build_yardstick(loaded, host)
    return sha256_of(
        {
            "folder": loaded.project.name_of(loaded.folder),
            "sections": section_hashes(loaded.recipe),
            "method": loaded.recipe.training.method,
            "limits": asdict(limits),
            "counter": [type(counter).__name__, counter.margin],
        }
    )
