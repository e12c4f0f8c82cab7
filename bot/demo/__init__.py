"""The demonstration: the whole service at work on one machine, against a simulator of GitHub.

Comes in from: the command line. Uses what a maintainer would: import, retrain, serve.
Invented issues of `bot.sample`, or one's own.
"""
