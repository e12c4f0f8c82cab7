"""The web service: takes webhooks in, answers whether it is well, and keeps a worker beside it."""
