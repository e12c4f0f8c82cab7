"""The web service: takes webhooks in, answers whether it is well, and keeps a worker beside it.

Comes in from: the command line. What is not signed is refused before it costs anything;
whatever a worker can do is left to `bot.jobs`.
"""
