"""What the bot said of labels, put before people, and what they decide: one label, one request.

Comes in from: `api`. Reads predictions with their precedents and answers, and carries decisions to
GitHub in the name of who made them; where GitHub has no part in it they hold here.
"""
