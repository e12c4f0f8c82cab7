"""All strategies as one: members, prior, blend, thresholds, precision guarantee, stages.

Comes in from: `releases`, `compression`, and the registry of strategies, for a chain is a strategy.
What it learns is numbers in two files; `checkpoints` let a killed training go on.
"""
