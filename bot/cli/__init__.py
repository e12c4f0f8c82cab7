"""The command line `issue-tagger`: a file a command, each importing what it needs as it runs.

Comes in from: the installed script. `app` lists the commands, `opening` opens what they need,
`output` prints for people or as JSON.
"""


def main() -> None:
    """Run the command that the process's arguments name, and end the process with its status."""
    from bot.cli.app import run

    run()
