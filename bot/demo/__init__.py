"""The demonstration: the whole service at work on one machine, against a stand-in for GitHub."""
