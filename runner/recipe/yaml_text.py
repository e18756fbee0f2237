"""Writes values as YAML that our strict reader takes back as they were."""

from typing import Any

import yaml

from runner.recipe.yaml import is_plain_text


def yaml_text(value: Any, *, sort_keys: bool) -> str:
    """A value in block style, one key on a line; text that would be read as something else is quoted."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, default_flow_style=False, sort_keys=sort_keys, width=10_000
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes what our stricter reader would not take for text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_plain_text(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
