"""Commands about issues: bring them in, tag them, label what is open, take it back, forget.

Comes in from: `bot.cli.app` alone. A file a command; each imports what it needs as it runs.
"""
