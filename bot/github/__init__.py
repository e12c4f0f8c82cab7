"""GitHub as this product sees it: requests, payloads, signatures, rate limits, its Markdown.

Comes in from: everywhere above that speaks to GitHub. Imports nothing of ours but `bot.errors`.
Pure where it can be: `signature`, `rate_limit`, `events` and `manifest` do no I/O.
"""
