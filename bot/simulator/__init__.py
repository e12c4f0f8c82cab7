"""A local GitHub that keeps its state in memory, for `issue-tagger demo` and for the tests.

Comes in from: `bot.demo` and the tests. It refuses every request that GitHub does not document.
Imports of the product only what signs a webhook.
"""
