"""Packages that the core install leaves out, imported when a source needs them."""

import importlib
from importlib.util import find_spec
from types import ModuleType

from runner.sources.base import unusable

# The extra that brings a package, and what the package is for.
EXTRAS = {
    "pyarrow": ("parquet", "Parquet and Arrow files"),
    "openpyxl": ("excel", "Excel files"),
    "duckdb": ("duckdb", "queries over several sources"),
    "backports.zstd": ("zstd", "files packed with zstd"),
    "fsspec": ("remote", "object stores"),
    "huggingface_hub": ("huggingface", "datasets of the Hugging Face hub"),
}


def require(*modules: str, file: str) -> ModuleType:
    """Import the first module there is; `file` is the source that needs it. Raises InvalidInputError."""
    for module in modules:
        if is_installed(module):
            return importlib.import_module(module)
    raise unusable(file, missing_sentence(modules[-1]))


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing more than the packages above it."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def missing_sentence(module: str) -> str:
    """Say which extra has to be installed for a module."""
    package = next(name for name in EXTRAS if module == name or module.startswith(f"{name}."))
    extra, purpose = EXTRAS[package]
    install = f"pip install 'finetune-runner[{extra}]'"
    return f"found no package {package}, which reads {purpose}. Install it: {install}"
