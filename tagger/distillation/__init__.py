"""A small student of a large model: its body, soft targets, pruning, weights of eight bits.

Comes in from: the strategy `distilled` and `compression`.
Knows networks and texts, no release.
"""
