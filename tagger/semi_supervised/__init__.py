"""Learning from unlabelled issues: self-training and consistency under augmentation.

Comes in from: the strategies `ust` and `uda`. Both train upper layers on a labelled and an
unlabelled batch a step (`mixed_training`); they differ in what an unlabelled text is to say.
"""
