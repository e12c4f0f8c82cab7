"""`issue-tagger open`: the pages on this machine, with a link that opens them once."""

import logging
import signal
from contextlib import suppress
from typing import Annotated

import typer

from bot.cli.opening import opened
from bot.cli.options import repository_name
from bot.cli.output import say, tell


def open_pages(
    repo: Annotated[
        str | None,
        typer.Argument(metavar="[REPO]", callback=repository_name, help="Begin at this one."),
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Instead of a free one.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the link in the browser.")
    ] = True,
) -> None:
    """Show the pages on 127.0.0.1, for who runs this; no GitHub is needed."""
    from bot.service.serving import open_pages as show

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with opened(level=logging.WARNING) as container:
        if repo is not None:
            with container.store.read() as work:
                repo = work.repositories.get(repo).full_name

        def announce(link: str) -> None:
            say(link)
            tell("The link opens once, within ten minutes; Ctrl-C ends the pages.")
            if browser:
                _browse(link)

        with suppress(KeyboardInterrupt):
            show(container, port=port, back=f"/r/{repo}" if repo else "/", opened=announce)


def _browse(link: str) -> None:
    """Open the link once the pages answer, which takes a moment."""
    import threading
    import webbrowser

    timer = threading.Timer(1.0, lambda: webbrowser.open(link))
    timer.daemon = True
    timer.start()
