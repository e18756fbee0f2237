"""What every route works with."""

from typing import Any

import pytest

from runner.errors import StaleLockError
from runner.local.service.chat_body import read_chat
from runner.local.service.context import Service
from runner.local.service.refusals import ApiError


def service(alias_of: Any) -> Service:
    """A service of which only the names of models are asked."""

    class Empty:
        def model(self, name: str) -> None:
            return None

    parts: Any = dict.fromkeys(("layout", "supervisor", "inference", "clock"))
    return Service(**parts, store=Empty(), allow_network=False, alias_of=alias_of)  # type: ignore[arg-type]


def test_an_alias_is_answered_by_the_model_it_stands_for() -> None:
    body = {"model": "production", "messages": [{"role": "user", "content": "안녕하세요"}]}
    chat = read_chat(service({"production": "tiny-1"}.get), body, "chatcmpl-1")

    assert ("tiny-1", "tiny-1") == (chat.model, chat.question.base_model)


def test_another_name_stands_for_itself() -> None:
    assert "ft:tiny-1:local::1" == service({}.get).model_called("ft:tiny-1:local::1")


def test_aliases_that_cannot_be_read_are_a_refusal() -> None:
    def broken(name: str) -> str | None:
        raise StaleLockError("aliases.yaml: found merge markers.")

    with pytest.raises(ApiError) as caught:
        service(broken).model_called("production")

    assert ("aliases.yaml: found merge markers.", "model") == (caught.value.message, caught.value.param)
