"""Asking language models: masked ones at a gap, causal ones after a prompt.

Comes in from: the strategies `pet` and `in-context`. What an issue says is data in here: a masked
model answers at the one gap that follows it, a causal one is scored over the labels' wordings.
"""
