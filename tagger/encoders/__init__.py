"""Texts to unit vectors: the sentence encoder, where models come from, the neighbour index.

Comes in from: strategies, label semantics and training.
Vectors are (n_texts, width), float32, of length one.
"""
