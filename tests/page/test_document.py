"""Pages: what is given is text, whatever it looks like."""

import base64
import hashlib

from runner.page.document import policy, style


def test_the_policy_allows_the_style_and_nothing_else() -> None:
    digest = base64.b64encode(hashlib.sha256(b"p {}").digest()).decode()

    assert (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ) == policy("p {}")


def test_a_style_loads_nothing() -> None:
    for sheet in (style(), style("runner.report", "report.css")):
        assert "url(" not in sheet
        assert "@import" not in sheet
