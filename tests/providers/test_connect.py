"""Connecting to the host of an entry: pytest tests/providers/test_connect.py"""

from pathlib import Path

import pytest

from runner.errors import ProviderError
from runner.providers.connect import open_provider
from runner.providers.hosts import find_host
from runner.providers.openai_compatible import OpenAICompatible


def test_the_operators_account_stands_in_the_address(tmp_path: Path) -> None:
    environment = {"AZURE_OPENAI_RESOURCE": "my-team", "AZURE_OPENAI_API_KEY": "key"}
    provider = open_provider(find_host("azure"), tmp_path, environment)

    assert isinstance(provider, OpenAICompatible)
    assert "https://my-team.openai.azure.com/openai/v1/" == str(provider.client.base_url)


@pytest.mark.parametrize(
    ("value", "found"),
    [("", "it is not set"), ("evil.example/", "found 'evil.example/'"), ("-a", "found '-a'")],
)
def test_an_account_that_could_lead_elsewhere_is_refused(tmp_path: Path, value: str, found: str) -> None:
    environment = {"AZURE_OPENAI_RESOURCE": value, "AZURE_OPENAI_API_KEY": "key"}
    with pytest.raises(ProviderError) as caught:
        open_provider(find_host("azure"), tmp_path, environment)

    assert (
        "azure needs AZURE_OPENAI_RESOURCE for its address "
        f"https://{{AZURE_OPENAI_RESOURCE}}.openai.azure.com/openai/v1: {found}, expected letters, digits "
        "and hyphens. Set the environment variable."
    ) == str(caught.value)
