"""Commands about models: retrain, evaluate, compress, and the releases that come of them.

Comes in from: `bot.cli.app` alone. A file a command; each imports what it needs as it runs.
"""
