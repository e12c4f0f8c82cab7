"""Numbers that several parts need: metrics, folds, intervals, ridge, calibration, thresholds.

Comes in from: everywhere in `tagger`. Imports numpy, scipy and scikit-learn only.
Arrays are (n_issues, n_labels) unless said otherwise.
"""
