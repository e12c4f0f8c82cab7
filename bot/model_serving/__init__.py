"""Releases at work: where they lie, which are in memory, what was said since, batched scoring.

Comes in from: `jobs` and whatever scores an issue.
Nothing here knows of GitHub.
"""
