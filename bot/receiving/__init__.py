"""From a webhook to the inbox: what it says, whose act it was, what it means for labels.

Comes in from: the service, and whatever brings in what no webhook told (`repositories`).
Stores what happened at once; acts on nothing.
"""
