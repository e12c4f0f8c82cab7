"""What goes: payloads that are old, deleted issues out of files, repositories that were left.

Comes in from: the command line, and `jobs` for the nightly task. Rows go in one transaction;
releases, reports and caches after a training that is under way.
"""
