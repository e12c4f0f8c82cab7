"""From the store's issues to a release that serves: training data, retrain, gate, compress.

Comes in from: the command line, `jobs` for trainings by schedule or on request, `evaluating`.
One training of a repository at a time, on however many machines.
"""
