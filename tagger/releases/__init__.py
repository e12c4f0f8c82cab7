"""A trained chain as a folder with digests, and what it says of an issue.

Comes in from: `bot.learning` to save, `bot.model_serving` to load, `compression` to teach from.
Never a pickle.
"""
