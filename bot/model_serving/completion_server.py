"""A causal language model behind an OpenAI-compatible server: llama.cpp's, vLLM's or another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from tagger.errors import ModelNotFound, ModelRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CONTEXT = 2048
"""Tokens that every such server takes; more would take more time."""

ALTERNATIVES = 50
"""Most likely tokens that are asked for; a server may give fewer."""

SECONDS = 60.0

UNSEEN = 1.0
"""Nats by which a token that is not among the alternatives is taken to lie below the last."""


class CompletionServer:
    """Asks for the likelihoods of the next token, never for text. See `LanguageModel`.

    An answer is as likely as the alternatives that it begins with. Redirects are not followed, so
    prompts go to the address that was set and to no other.

    Source: https://platform.openai.com/docs/api-reference/completions (`logprobs`), and the same
    at https://github.com/ggml-org/llama.cpp/tree/master/tools/server

    :param url: up to and without `/completions`, such as `http://127.0.0.1:8080/v1`.
    :param model: by the server's own name; empty: the only one that it has.
    :param key: for the header `Authorization`.
    :param transport: in place of the network, for tests.
    """

    context = CONTEXT

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url, self._model = url, model
        self.identity = f"{model or 'the model'} at {url}"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(
            headers=headers, timeout=SECONDS, transport=transport, follow_redirects=False
        )

    def count(self, text: str) -> int:
        """Two bytes a token: fewer than any tokenizer of today needs for English."""
        return len(text.encode("utf-8", "surrogatepass")) // 2 + 1

    def log_likelihoods(self, prompt: str, answers: Sequence[str]) -> NDArray[np.float64]:
        """See `LanguageModel.log_likelihoods`: of each answer's first token.

        :raises ModelNotFound: the server does not answer.
        :raises ModelRefused: it answers without likelihoods.
        """
        likely = self._alternatives(prompt)
        least = min(likely.values()) - UNSEEN
        return np.array([_of_answer(answer, likely, least) for answer in answers])

    def _alternatives(self, prompt: str) -> dict[str, float]:
        """Tokens that may come next, with their log-probabilities."""
        request = {"prompt": prompt, "max_tokens": 1, "temperature": 0, "logprobs": ALTERNATIVES}
        if self._model:
            request["model"] = self._model
        try:
            response = self._client.post(f"{self._url}/completions", json=request)
            response.raise_for_status()
            document: Any = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ModelNotFound(
                f"the language model at {self._url} did not answer ({error}); check "
                "ISSUE_TAGGER_LANGUAGE_MODEL_URL, _MODEL and _KEY, and that the server is up"
            ) from error
        try:
            alternatives = _read(document["choices"][0]["logprobs"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelRefused(
                f"the language model at {self._url} gave no likelihoods; expected a server that "
                "answers /completions with logprobs"
            ) from error
        return alternatives


def _read(logprobs: Any) -> dict[str, float]:
    """Both shapes of an answer: a mapping for each token, or a list of tokens.

    :raises KeyError, IndexError, TypeError, ValueError: it is neither, or empty.
    """
    if "top_logprobs" in logprobs:
        first: Mapping[str, float] = logprobs["top_logprobs"][0]
        pairs = list(first.items())
    else:
        listed = logprobs["content"][0]["top_logprobs"]
        pairs = [(each["token"], each["logprob"]) for each in listed]
    if not pairs:
        raise ValueError("no alternatives")
    return {str(token): float(value) for token, value in pairs}


def _of_answer(answer: str, likely: Mapping[str, float], least: float) -> float:
    begun = [
        value
        for token, value in likely.items()
        if token.strip() and answer.strip().casefold().startswith(token.strip().casefold())
    ]
    return float(np.logaddexp.reduce(begun)) if begun else least
