"""Texts before any model: cleaning, bags of words, log odds of words, augmentation.

Comes in from: `domain` for cleaning, strategies for the rest.
Cleaning is versioned: a release reads issues as it was trained.
"""
