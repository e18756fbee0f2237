"""Rules that find, before anything is sent, what a hosted service would reject or silently damage later."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.dataset.checks.checker import Checker
    from runner.dataset.checks.limits import DatasetLimits
    from runner.dataset.checks.registry import RULES

__all__ = ["RULES", "Checker", "DatasetLimits"]

_MODULES = {"Checker": "checker", "DatasetLimits": "limits", "RULES": "registry"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: commands that check nothing start without the rules."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
