"""Encoder, entailment and tuned members as a server of their own, for many workers.

Comes in from: `cli`. Callers are in `model_serving.remote_runner`.
"""
