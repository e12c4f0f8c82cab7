"""How good each strategy is, from how many labelled issues: slices, cells, figures, report.

Comes in from: `bot.evaluating`. Cells are kept as soon as they are done, so that runs resume.
The test set of a seed is never seen by anything that learns.
"""
