"""A language model by address: asked for likelihoods only, and only where the address was set."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest

from bot.container import Container, open_language_model
from bot.model_serving.completion_server import CompletionServer
from bot.process.settings import load_settings
from tagger.errors import ModelNotFound, ModelRefused

URL = "http://127.0.0.1:8080/v1"
TOKENS = {" bug": -0.5, " doc": -1.5, "\n": -2.0, " b": -3.0}
SHAPES: dict[str, Any] = {
    "a mapping": {"top_logprobs": [TOKENS]},
    "a list": {
        "content": [{"top_logprobs": [{"token": t, "logprob": v} for t, v in TOKENS.items()]}]
    },
}


def server(answer: Any, requests: list[httpx.Request], status: int = 200, **more: Any) -> Any:
    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, json=answer, **more)

    return httpx.MockTransport(respond)


@pytest.mark.parametrize("shape", SHAPES)
def test_answers_are_as_likely_as_the_tokens_that_they_begin_with(shape: str) -> None:
    requests: list[httpx.Request] = []
    transport = server({"choices": [{"logprobs": SHAPES[shape]}]}, requests)
    model = CompletionServer(URL, model="tiny", key="a-key", transport=transport)
    got = model.log_likelihoods("Label:", [" bug", " documentation", " speed"])
    assert got == pytest.approx([np.logaddexp(-0.5, -3.0), -1.5, -4.0])
    [request] = requests
    assert str(request.url) == f"{URL}/completions"
    assert request.headers["authorization"] == "Bearer a-key"
    body = json.loads(request.content)
    assert (body["prompt"], body["model"], body["max_tokens"]) == ("Label:", "tiny", 1)


@pytest.mark.parametrize(
    "answer", [{}, {"choices": []}, {"choices": [{"logprobs": None}]}, {"choices": [{"text": "x"}]}]
)
def test_an_answer_without_likelihoods_is_refused(answer: Any) -> None:
    with pytest.raises(ModelRefused, match="logprobs"):
        CompletionServer(URL, transport=server(answer, [])).log_likelihoods("x", [" a"])


def test_a_server_that_fails_or_sends_elsewhere_is_not_followed() -> None:
    requests: list[httpx.Request] = []
    elsewhere = server({}, requests, 307, headers={"Location": "http://example.com/v1"})
    for transport in (elsewhere, server({}, [], 500)):
        with pytest.raises(ModelNotFound, match="LANGUAGE_MODEL_URL"):
            CompletionServer(URL, transport=transport).log_likelihoods("x", [" a"])
    assert [request.url.host for request in requests] == ["127.0.0.1"]


def test_nothing_leaves_the_machine_unless_an_address_was_set(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("ISSUE_TAGGER_LANGUAGE_MODEL_URL", raising=False)
    monkeypatch.delenv("ISSUE_TAGGER_LANGUAGE_MODEL", raising=False)
    none = Container(load_settings(data_dir=tmp_path))
    assert none.resources(tuning=False).language_model is None
    named = load_settings(data_dir=tmp_path, language_model=str(tmp_path))
    with pytest.raises(ModelNotFound):  # an empty folder: looked at, and nobody else asked
        open_language_model(named)
    addressed = load_settings(data_dir=tmp_path, language_model_url=f"{URL}/")
    model = open_language_model(addressed)
    assert isinstance(model, CompletionServer)
    assert model.identity.endswith(URL)
