"""`python -m bot.cli`: the command line where its script is not on the path."""

from bot.cli import main

main()
