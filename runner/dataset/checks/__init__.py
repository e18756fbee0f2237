"""Rules that find, before anything is sent, what a hosted service would reject or silently damage later."""

from runner.dataset.checks.checker import Checker
from runner.dataset.checks.registry import RULES
from runner.dataset.checks.rule import DatasetLimits

__all__ = ["RULES", "Checker", "DatasetLimits"]
