"""Benchmark: how fast, how large and how good each strategy is in each runtime."""
