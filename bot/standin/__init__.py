"""A local GitHub that keeps its state in memory, for `issue-tagger demo` and for the tests."""
