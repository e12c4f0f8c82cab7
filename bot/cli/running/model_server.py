"""`issue-tagger model-server`: encoder, entailment and tuned members for many workers."""

from importlib.util import find_spec
from typing import Annotated

import typer

from bot.cli.opening import set_up
from bot.cli.output import tell


def model_server(
    *,
    host: Annotated[
        str, typer.Option(help="127.0.0.1, or 0.0.0.0 for all of this machine's addresses.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1024, max=65535)] = 8100,
    runtime: Annotated[
        list[str] | None,
        typer.Option(metavar="RUNTIME", help="Held ready; may be given twice. Default: the usual."),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, max=1024, help="Requests that are answered together.")
    ] = 32,
    milliseconds: Annotated[
        float, typer.Option(min=0.0, max=1000.0, help="A request waits for others so long.")
    ] = 3.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes a device.")] = 1,
) -> None:
    """Compute models for workers that have ISSUE_TAGGER_MODEL_SERVER set."""
    from bot.errors import CommandRefused
    from bot.process.settings import load_settings
    from tagger.runtimes import RUNTIMES

    if find_spec("litserve") is None:
        raise CommandRefused("LitServe is not installed; pip install 'issue-tagger[server]'")
    if unknown := sorted(set(runtime or ()) - set(RUNTIMES)):
        raise typer.BadParameter(f"--runtime: got {unknown[0]!r}, expected {', '.join(RUNTIMES)}")
    if host not in {"127.0.0.1", "0.0.0.0", "::"}:  # noqa: S104 - only if it is asked for
        raise typer.BadParameter(f"--host: got {host!r}, expected 127.0.0.1, 0.0.0.0 or ::")
    from bot.model_server.lit_server import NetworkApi, serve_models
    from tagger.runtimes.devices import choose_device, usual_runtime

    settings = load_settings()
    set_up(settings)
    device = choose_device(settings.device)
    runtimes = [each for each in RUNTIMES if each in (runtime or ())] or [
        usual_runtime(settings.device)
    ]
    tell(f"serving models in {', '.join(runtimes)} on http://{host}:{port}")
    api = NetworkApi(settings, runtimes, batch, milliseconds)
    serve_models(api, host, port, device=device.type, workers=workers)
