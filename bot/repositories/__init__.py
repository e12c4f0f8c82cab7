"""A repository in the store: import, sync, reconcile, names, presence.

Comes in from: the command line, and `jobs` for what comes round by itself.
Reads GitHub as much as it must, and writes nothing to it.
"""
