"""Training transformers: tokens in batches, schedules, losses, one loop for every objective.

Comes in from: the strategies that tune a body, and `distillation`. torch lives here.
Seeds are arguments; budgets are steps, never seconds, so that results repeat.
"""
