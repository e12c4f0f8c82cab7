"""Benchmark: how fast, how large and how good each strategy is in each runtime.

Comes in from: `bot.evaluating`. One process a row, so that none sees another's memory.
Rivals stand beside us where they are installed.
"""
