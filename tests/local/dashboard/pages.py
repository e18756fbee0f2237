"""A browser's part in tests: cookies and forms, nothing drawn."""

import http.client
import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.local.harness import WAIT_S, RunningService, call


@dataclass
class Visitor:
    """Sends requests as a browser does, with the cookies it was given."""

    service: RunningService
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """One request; status, headers and text of the answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.service.record.port, timeout=WAIT_S)
        connection.request(method, path, urlencode(form) if form is not None else None, sent)
        response = connection.getresponse()
        text = response.read().decode()
        found = {name.lower(): value for name, value in response.getheaders()}
        connection.close()
        if "set-cookie" in found:
            name, _, value = found["set-cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, found, text

    def form_token(self, path: str) -> str:
        """What the form of a page carries."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.ask("GET", path)[2])
        assert found
        return found[1]


def key_path(service: RunningService, jobs: object = None) -> str:
    """An address that opens the dashboard once."""
    status, answer = call(service, "POST", "/dashboard/keys", {} if jobs is None else {"jobs": jobs})
    assert 200 == status, json.dumps(answer)
    return str(answer["path"])


def let_in(service: RunningService, jobs: object = None) -> Visitor:
    """A visitor with a session."""
    visitor = Visitor(service)
    assert 303 == visitor.ask("GET", key_path(service, jobs))[0]
    return visitor
