"""The model server: models for many workers, on LitServe, with dynamic batching.

Source: https://lightning.ai/docs/litserve
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import litserve
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from bot.model_serving.served_networks import RequestRefused, RowsRequest, ServedNetworks
from bot.process.settings import Settings
from tagger.runtimes import Runtime

# LitServe and FastAPI read annotations as they run, so this file has none that are only names.
Message = MutableMapping[str, Any]

PATH = "/run"
LARGEST_BODY = 4 * 2**20
SECONDS = 60.0


class NetworkApi(litserve.LitAPI):  # type: ignore[misc]  # it ships no types
    """One process of the server: loads the networks, answers batches of requests.

    :param settings: of the installation, the same as the workers have.
    :param runtimes: in which the networks are held; workers ask for one of them.
    :param most: requests that are answered together.
    :param milliseconds: for which the first of them waits for others.
    """

    def __init__(
        self, settings: Settings, runtimes: Sequence[Runtime], most: int, milliseconds: float
    ) -> None:
        super().__init__(max_batch_size=most, batch_timeout=milliseconds / 1000, api_path=PATH)
        self._settings = settings
        self._runtimes = tuple(runtimes)

    def setup(self, device: str) -> None:
        """Load, and compute once, so that the first caller need not wait.

        :param device: as LitServe names it, such as cpu or cuda:0.
        """
        from bot.model_server.loading import load_networks

        self._networks: ServedNetworks = load_networks(self._settings, self._runtimes, device)

    def decode_request(self, request: Request) -> RowsRequest | RequestRefused:
        """What a caller sent; what cannot be read is answered like the others of its batch.

        :param request: by LitServe's manner its JSON, whatever the annotation says.
        """
        try:
            return RowsRequest.from_json(request)
        except RequestRefused as error:
            return error

    def batch(self, inputs: list[Any]) -> list[Any]:
        """As they came: `ServedNetworks` puts together what fits together."""
        return inputs

    def predict(self, inputs: Any) -> list[dict[str, Any]]:
        """The answers of a batch, or of one request where batches are off."""
        many = inputs if isinstance(inputs, list) else [inputs]
        readable = [each for each in many if isinstance(each, RowsRequest)]
        answers = iter(self._networks.run(readable))
        whole = [
            next(answers) if isinstance(each, RowsRequest) else {"refused": str(each)}
            for each in many
        ]
        return whole if isinstance(inputs, list) else whole[0]  # type: ignore[return-value]

    def unbatch(self, output: list[Any]) -> list[Any]:
        """One answer a request."""
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """As it is: JSON."""
        return output


class Measured:
    """ASGI middleware that counts requests and their time, and shows both at /metrics."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "issue_tagger_model_requests",
            "Requests by status.",
            ["status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "issue_tagger_model_seconds", "From request to answer.", registry=self._registry
        )

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/metrics":
            await Response(generate_latest(self._registry), media_type="text/plain")(
                scope, receive, send
            )
            return
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(message["status"]).inc()
                self._seconds.observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)


def serve_models(api: NetworkApi, host: str, port: int, *, device: str, workers: int) -> None:
    """Serve until the process is ended.

    :param host: LitServe listens on 127.0.0.1, 0.0.0.0 or ::.
    :param device: cpu, cuda or auto.
    :param workers: processes a device, each with models of its own.
    """
    server = litserve.LitServer(
        api,
        accelerator=device,
        devices=1 if device == "cpu" else "auto",
        workers_per_device=workers,
        timeout=SECONDS,
        max_payload_size=LARGEST_BODY,
        middlewares=[Measured],
    )
    server.run(
        host=host,
        port=port,
        num_api_servers=1,
        api_server_worker_type="thread",
        generate_client_file=False,
        log_level="warning",
    )
