"""How good the labels are: evaluate, audit, report, drift, and what people did with them.

Comes in from: the command line, `jobs` for reports by schedule, `operations` for metrics.
Nothing here writes to GitHub.
"""
