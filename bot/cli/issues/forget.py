"""`issue-tagger forget`: drop payloads and deliveries that are older than the settings keep."""

from bot.cli.opening import opened
from bot.cli.options import Json
from bot.cli.output import say, say_json


def forget(*, as_json: Json = False) -> None:
    """Drop old payloads and deliveries now; a running service does it by itself."""
    from dataclasses import asdict

    from bot.repositories.retention import forget_old

    with opened() as container:
        forgotten = forget_old(container)
        settings = container.settings
    if as_json:
        say_json(asdict(forgotten))
        return
    say(
        f"{forgotten.payloads} payloads older than {settings.keep_payloads_days} days and "
        f"{forgotten.deliveries} deliveries older than {settings.keep_deliveries_days} days dropped"
    )
