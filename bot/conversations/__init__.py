"""What the bot says to people and they to it: `/tagger` commands, answers, notices.

Comes in from: `jobs`, for a delivery that holds a comment or for a task that has ended.
People's words are data here: a command may only ask for what its author could do by hand.
"""
