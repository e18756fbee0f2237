"""What every test gets: no home, no keys, no network but loopback."""

import os
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from runner.examples.confinement import start_confined
from tests.browser import CHROMIUM
from tests.confined import USERS, nursery
from tests.fake_host import FakeHost, start_fake_host

KEY_VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "HF_TOKEN")
# What the machine that runs the tests says to every program; a test that means it says it itself.
AMBIENT_VARIABLES = ("CI", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT")
# What takes longest begins first, so that in the end no processor waits for the last file of another.
LONGEST = (
    "tests/local/test_training_flow.py",
    "tests/faults/test_once.py",
    "tests/cli/test_local.py",
    "tests/local/training/test_train.py",
    "tests/local/training/test_reinforcement.py",
    "tests/dataset/test_build.py",
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def pytest_configure(config: pytest.Config) -> None:
    """What the machine says is not heard; `make test-full` leaves nothing out that a test would skip for.

    It also draws new examples each time, where `make test` gives one answer for one state of the code.
    """
    for name in (*KEY_VARIABLES, *AMBIENT_VARIABLES):
        os.environ.pop(name, None)
    # pytest-xdist would begin with the files of the most tests.
    config.option.loadscopereorder = False
    if find_spec("hypothesis") and not os.environ.get("FINETUNE_TEST_FULL"):
        from hypothesis import settings

        settings.register_profile("fixed", settings.default, derandomize=True, database=None)
        settings.load_profile("fixed")
    local = ("torch", "transformers", "trl", "peft", "starlette", "uvicorn", "llguidance")
    graders = ("nltk", "rapidfuzz", "rouge_score", "sacrebleu")
    sources = ("pyarrow", "openpyxl", "defusedxml", "duckdb", "fsspec", "huggingface_hub")
    checks = ("detect_secrets", "phonenumbers")
    trackers = ("mlflow", "sqlalchemy", "alembic", "tensorboard", "wandb")
    others = ("bitsandbytes", "bm25s", "bpe_openai", "hypothesis", "setuptools", "tiktoken")
    wanted = (*local, *graders, *sources, *checks, *trackers, *others)
    missing = [name for name in wanted if find_spec(name) is None]
    if os.environ.get("FINETUNE_TEST_FULL") and CHROMIUM is None:
        raise pytest.UsageError("the full suite drives pages in a browser: install chromium")
    if os.environ.get("FINETUNE_TEST_FULL") and missing:
        extras = "[all,evaluation,structured,trackers,qlora,dev]"
        raise pytest.UsageError(f"the full suite needs {', '.join(missing)}: pip install -e '.{extras}'")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def forked() -> Iterator[None]:
    """Confined processes are forks, which start twenty times as fast; `make test-full` starts real ones."""
    if os.environ.get("FINETUNE_TEST_FULL"):
        yield
        return
    with nursery() as made, pytest.MonkeyPatch.context() as patch:
        for user in USERS:
            patch.setattr(f"{user}.start_confined", made.start)
        yield


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> Iterator[None]:
    """No file waits for the disk: no test takes the power away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        yield


@pytest.fixture
def really_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Confined processes are started as the runner starts them."""
    for user in USERS:
        monkeypatch.setattr(f"{user}.start_confined", start_confined)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paths of folders that are not there yet; `mktemp` would look through thousands for a free name."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path]) -> None:
    """Point the home at an empty folder."""
    home = next(homes)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project folder."""
    (tmp_path / "finetune.toml").touch()
    return tmp_path


@pytest.fixture
def fake_host() -> Iterator[FakeHost]:
    """A hosted provider on loopback."""
    host, stop = start_fake_host()
    yield host
    stop()
