"""Which counter knows the tokens of a recipe's model, and what it says of the recipe's dataset."""

import json
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from runner.canonical import sha256_bytes, sha256_of
from runner.dataset.tokens import ESTIMATE_MARGIN, ESTIMATED
from runner.dataset.value import Dataset, DatasetFile
from runner.operator import Operator
from runner.price import price_of, trained_epochs
from runner.providers.base_models import BaseModel
from runner.providers.checks import base_model
from runner.providers.hosts import Host, HostModel
from runner.providers.hub_models import cache_folder, cached_commit
from runner.recipe.load import LoadedRecipe
from runner.tokens.counters import Counter, EstimateCounter, ModelCounter, OpenAICounter, PackagedCounter
from runner.tokens.encodings import MAX_RANKS_BYTES, RANKS, encoding_of, find_ranks

if TYPE_CHECKING:
    from runner.sources.download import Network
    from runner.token_report import FileTokens, TokenReport
    from runner.tokens.counted import Counted

# Where ranks lie in a project's state.
RANKS_FOLDER = Path("cache") / "tiktoken"
_INSTALL = "pip install 'finetune-runner[tokens]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The counter for a recipe; `missing` says what an exact count would need, empty where it is exact."""

    counter: Counter
    missing: str = ""

    @property
    def exact(self) -> Counter | None:
        """The counter if it is exact."""
        return None if self.missing else self.counter


def choose_counter(loaded: LoadedRecipe, host: Host, operator: Operator) -> Choice:
    """The exact counter where it is at hand, else the estimate and why. Never uses the network."""
    model = host.model(loaded.root_model)
    found = _packaged(model) or _of_openai(loaded, operator)
    if found is None and host.is_local:
        found = _of_model(base_model(loaded, host), operator)
    if found is None:
        found = f"the tokenizer of {loaded.root_model} is not known here."
    if isinstance(found, str):
        return Choice(counter=EstimateCounter(margin=ESTIMATE_MARGIN), missing=found)
    return Choice(counter=found)


def fetch_ranks(loaded: LoadedRecipe, operator: Operator, network: "Network | None" = None) -> bool:
    """Download the ranks of the model's encoding, if it has one and they are missing.

    Raises InvalidInputError. They are kept in the project's state, only with the hash that tiktoken demands.
    """
    ranks = RANKS.get(encoding_of(loaded.root_model) or "")
    folder = loaded.project.make_state() / RANKS_FOLDER
    if ranks is None or find_ranks(ranks, folder, operator.environment) is not None:
        return False
    operator.say(f"Downloading {ranks.url}")
    from runner.sources.download import Network, download

    download(ranks.url, ranks.sha256, folder / ranks.key, network or Network(max_bytes=MAX_RANKS_BYTES))
    return True


def counted(dataset: Dataset, loaded: LoadedRecipe, host: Host, operator: Operator) -> Dataset:
    """The dataset with exact tokens, where they can be counted on this machine."""
    counter = choose_counter(loaded, host, operator).exact
    if counter is None:
        return dataset
    from runner.tokens.dataset import with_tokens

    limit = context_tokens(loaded, host, operator)
    # What the recipe does not set is at the rule's own level: no need to import every rule.
    levels = dict(loaded.recipe.checks.levels)
    return with_tokens(dataset, counter, loaded.project.make_state(), limit, levels, operator.watch)


def context_tokens(loaded: LoadedRecipe, host: Host, operator: Operator) -> int | None:
    """The longest example that the model takes; None where nobody says."""
    model = host.model(loaded.root_model)
    if model is not None:
        return model.max_example_tokens
    folder = _model_folder(base_model(loaded, host), operator) if host.is_local else None
    return None if folder is None else _context_of(folder)


def token_report(loaded: LoadedRecipe, host: Host, dataset: Dataset, operator: Operator) -> "TokenReport":
    """Count the tokens of a dataset and sum them up. Raises CountingError."""
    choice = choose_counter(loaded, host, operator)
    limit = context_tokens(loaded, host, operator)
    from runner.token_report import TokenReport
    from runner.tokens.dataset import count_dataset

    counted = count_dataset(dataset, choice.counter, loaded.project.make_state(), operator.watch)
    files = tuple(
        _file_tokens(item, name, limit)
        for item, name in zip(counted, ("training", "validation"), strict=False)
    )
    epochs, epochs_text = trained_epochs(loaded.recipe, dataset.training_file.n_examples)
    dataset = replace(dataset, training_file=_counted_file(counted[0]))
    return TokenReport(
        counter=choice.counter.identity,
        missing=choice.missing,
        error=ESTIMATED.removeprefix("estimated, ") if choice.missing else "",
        files=files,
        epochs_text=epochs_text,
        trained_tokens=counted[0].weighed.n_tokens * epochs,
        price=price_of(loaded.recipe, dataset, host, host.model(loaded.root_model)),
    )


def _packaged(model: HostModel | None) -> Counter | str | None:
    if model is None or model.tokenizer is None:
        return None
    if find_spec("tokenizers") is None:
        return f"the library that reads tokenizers is not installed: {_INSTALL}"
    from importlib import resources

    content = (resources.files("runner") / model.tokenizer).read_bytes()
    return PackagedCounter(
        tokenizer=model.tokenizer, chat_format=model.chat_format, sha256=sha256_bytes(content)
    )


def _of_openai(loaded: LoadedRecipe, operator: Operator) -> Counter | str | None:
    encoding = encoding_of(loaded.root_model)
    if encoding is None:
        return None
    if find_spec("tiktoken") is None:
        return f"tiktoken is not installed: {_INSTALL}"
    folder = find_ranks(RANKS[encoding], loaded.project.make_state() / RANKS_FOLDER, operator.environment)
    if folder is None:
        tokens = loaded.command("tokens", "--allow-network")
        return (
            f"the ranks of {encoding} are not on this machine: {_INSTALL} brings them, {tokens} downloads "
            "them, or TIKTOKEN_CACHE_DIR names a folder that has them."
        )
    return OpenAICounter(encoding=encoding, folder=str(folder.resolve()))


def _of_model(model: BaseModel, operator: Operator) -> Counter | str | None:
    folder = _model_folder(model, operator)
    if folder is None:
        return f"the model {model.name} is not on this machine."
    if find_spec("tokenizers") is None:
        return f"the library that reads tokenizers is not installed: {_INSTALL}"
    from runner.tokens.chat_template import read_settings, template_text

    try:
        template = template_text(folder, read_settings(folder))
        tokenizer = (folder / "tokenizer.json").read_bytes()
    except (OSError, ValueError):
        return f"the model {model.name} has no tokenizer.json with its tokenizer_config.json."
    if template is None:
        return f"the model {model.name} has no chat template."
    digest = sha256_of({"tokenizer": sha256_bytes(tokenizer), "template": template})
    return ModelCounter(folder=str(folder), sha256=digest)


def _model_folder(model: BaseModel, operator: Operator) -> Path | None:
    if model.folder is not None or model.hub is None:
        return model.folder
    commit = cached_commit(model.hub, operator.environment)
    if commit is None:
        return None
    repository = f"models--{model.hub.name.replace('/', '--')}"
    return cache_folder(operator.environment) / repository / "snapshots" / commit


def _context_of(folder: Path) -> int | None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found = config.get("max_position_embeddings") or config["text_config"]["max_position_embeddings"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _counted_file(counted: "Counted") -> DatasetFile:
    from runner.tokens.dataset import counted_file

    return counted_file(counted.file, counted.counter, counted.weighed.totals)


def _file_tokens(counted: "Counted", name: str, limit: int | None) -> "FileTokens":
    from runner.token_report import FileTokens
    from runner.tokens.statistics import token_statistics

    weighed = counted.weighed
    return FileTokens(
        name=name,
        is_exact=_counted_file(counted).tokens_exact,
        n_inexact=weighed.n_inexact,
        statistics=token_statistics(
            weighed.lengths, n_tokens=weighed.n_tokens, roles=weighed.roles, limit=limit
        ),
    )
