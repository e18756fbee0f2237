"""The dataset as a value: files named by their content, and what the checks said of them."""

from dataclasses import dataclass
from pathlib import Path

from runner.issues import Place, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFile:
    """One JSONL file of examples; `n_tokens` is an estimate unless `tokens_exact`.

    `token_counter` names what counted them; it is empty for an estimate.
    """

    sha256: str
    size_bytes: int
    n_examples: int
    n_tokens: int
    tokens_exact: bool
    token_counter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file the dataset was made from; `name` is relative to the project root."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found: how often, and the first few places."""

    code: str
    severity: Severity
    message: str
    count: int = 1
    places: tuple[Place, ...] = ()

    def __str__(self) -> str:
        where = "; ".join(str(place) for place in self.places)
        more = self.count - len(self.places)
        rest = f" and {more} more" if self.places and more > 0 else ""
        return f"{self.severity.value} {self.code}: {self.message}" + (f" ({where}{rest})" if where else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Training and validation files under `folder`, with the inputs and findings they came from.

    `hits` names the table of everything that was found, empty where none was written. `ignored` counts what
    each entry under `checks.ignore` left out, `n_known` what a baseline did. `n_near_repeats` examples are
    not in the validation file because they nearly repeat a training example.
    """

    folder: Path
    training_file: DatasetFile
    validation_file: DatasetFile | None
    sources: tuple[InputFile, ...]
    templates: tuple[InputFile, ...]
    findings: tuple[Finding, ...]
    n_records: int
    index: str
    hits: str = ""
    ignored: tuple[int, ...] = ()
    n_known: int = 0
    n_near_repeats: int = 0

    @property
    def files(self) -> tuple[DatasetFile, ...]:
        """The files there are: training, then validation."""
        return (self.training_file, self.validation_file) if self.validation_file else (self.training_file,)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop the pipeline."""
        return tuple(item for item in self.findings if item.severity is Severity.ERROR)

    def path_of(self, file: DatasetFile) -> Path:
        """Where a dataset file lies."""
        return self.folder / f"{file.sha256}.jsonl"

    @property
    def index_path(self) -> Path:
        """Where the table of example keys and digests lies."""
        return self.folder / f"{self.index}.index"

    @property
    def hits_path(self) -> Path:
        """Where the table of hits lies."""
        return self.folder / f"{self.hits}.hits"
