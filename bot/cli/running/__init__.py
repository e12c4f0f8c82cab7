"""Commands about the service: serve, work, doctor, what failed, the demonstration.

Comes in from: `bot.cli.app` alone. A file a command; each imports what it needs as it runs.
"""
