"""Labels for issues that are open already: looked at first, written as one run, taken back.

Comes in from: the command line and the container. Uses `labelling` for one issue at a time.
Nothing here answers a webhook.
"""
