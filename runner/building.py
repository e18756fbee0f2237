"""Datasets of recipes, built or found built, by the measure of the chosen host and model."""

from dataclasses import asdict, replace
from pathlib import Path

from runner.canonical import sha256_of
from runner.dataset.cache import cache_key, pieces_key, read_cached, write_cached
from runner.dataset.checks import DatasetLimits
from runner.dataset.effort import DEFAULT_EFFORT, Effort
from runner.dataset.hashed_files import HashedFiles
from runner.dataset.inputs import Inputs, find_inputs, find_templates, source_sizes
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
from runner.hints import listed
from runner.operator import Operator
from runner.planning.changes import section_hashes
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
    if loaded.recipe.checks.baseline is None:
        return dataset
    from runner.dataset.checks.baseline import read_baseline, with_baseline
    from runner.dataset.checks.checker import effective_levels

    path = loaded.folder / loaded.recipe.checks.baseline
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
    yardstick = build_yardstick(loaded, host)
    if use_cache and not _are_new(loaded, hashed):
        inputs = find_inputs(loaded, hashed)
        hashed.save()
        cached = read_cached(cache, cache_key(loaded.recipe, inputs, *yardstick), folder)
        if cached is not None:
            return cached
    dataset, inputs = _made(loaded, hashed, yardstick, effort, cache if use_cache else None)
    hashed.save()
    write_cached(cache, cache_key(loaded.recipe, inputs, *yardstick), dataset)
    return dataset


def _are_new(loaded: LoadedRecipe, hashed: HashedFiles) -> bool:
    """Whether a source certainly is not what it was in any build before."""
    sizes = source_sizes(loaded)
    return any(hashed.is_other(loaded.project.name_of(path), size) for path, size in sizes.items())


def _made(
    loaded: LoadedRecipe,
    hashed: HashedFiles,
    yardstick: tuple[DatasetLimits, TokenCounter],
    effort: Effort,
    cache: Path | None,
) -> tuple[Dataset, Inputs]:
    """Build a dataset, and hash what it is made from at the same time."""
    # Most commands find a dataset built, and start sooner without what builds it.
    from concurrent.futures import ThreadPoolExecutor

    from runner.dataset.build import build_dataset
    from runner.dataset.kept_pieces import KEPT_FROM_BYTES, KeptPieces, trim

    folder = loaded.project.make_state() / "datasets"
    kept = None
    if cache is not None and sum(source_sizes(loaded).values()) >= KEPT_FROM_BYTES:
        made_by = pieces_key(loaded.recipe, find_templates(loaded, hashed), *yardstick)
        kept = KeptPieces(cache / "pieces", made_by)
    with ThreadPoolExecutor(1) as thread:
        hashing = thread.submit(find_inputs, loaded, hashed)
        dataset = build_dataset(loaded, hashing, folder, yardstick, replace(effort, kept=kept))
    if kept is not None:
        trim(kept.folder, effort.max_kept_bytes)
    inputs = hashing.result()
    now = find_inputs(loaded, hashed)
    if inputs != now:
        moved = {*inputs.sources, *inputs.templates} ^ {*now.sources, *now.templates}
        names = listed(sorted({file.name for file in moved}))
        raise RunnerError(
            f"found that {names} changed while it was read, expected files that nobody writes to. "
            "Wait until they are written, and run the command again."
        )
    return dataset, inputs


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
