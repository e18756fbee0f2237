"""Makes the SDK's client for a URL: no redirects, no proxy before this machine, no variables unasked."""

import ssl
from urllib.parse import urlsplit

import httpx2
import openai

from runner.display import one_line
from runner.errors import MissingExtraError, ProviderError
from runner.providers.openai_compatible import OpenAICompatible


def connect(
    name: str, base_url: str, api_key: str, *, send_organization: bool = False, closing: str = ""
) -> OpenAICompatible:
    """A provider at a URL; redirects are refused, so a key and data go to the named host alone.

    The SDK's own environment variables for organisation and project apply only where the host wants them, and
    a proxy never stands between the runner and this machine. `closing` is added to the refusal of a job.
    Raises ProviderError for proxy settings or a URL that cannot be used.
    """
    try:
        url = urlsplit(base_url)
        loopback = url.hostname in ("127.0.0.1", "localhost", "::1")
        # To read the certificates of a machine takes 17 ms; where nothing is encrypted, none is trusted.
        trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if loopback and url.scheme == "http" else True
        client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key,
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False, trust_env=not loopback, verify=trusted
            ),
        )
    except ImportError as error:
        raise MissingExtraError(
            "the proxy in this environment (ALL_PROXY, HTTPS_PROXY or HTTP_PROXY) is a SOCKS proxy, "
            "which needs one more package: pip install 'httpx2[socks]'"
        ) from error
    except (ValueError, httpx2.InvalidURL) as error:
        raise ProviderError(
            f"{name} cannot be reached at {base_url}: {one_line(str(error))}. Check the URL, and the proxy "
            "in ALL_PROXY, HTTPS_PROXY and HTTP_PROXY."
        ) from error
    if not send_organization:
        client.organization = client.project = None
    return OpenAICompatible(client, name, closing)
