"""Releases to and from a hub of models, such as huggingface.co.

Comes in from: `cli`. `pushing` and `pulling` are the two ways, `model_card` is the page that goes
along, `hub` the only file that speaks to the hub.
"""
