"""Likely duplicates: which earlier issue says the same, and from which likeness on that is said.

`links` reads what people call a duplicate, `similarity` compares two issues, `duplicate_index`
finds the nearest earlier one, `measurement` measures on people's links from which probability on
it may be said. `bot.advising` comes in here.
"""
