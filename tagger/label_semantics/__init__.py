"""What a label's wording alone says: prompts, similarity, entailment, cloze.

Comes in from: the strategy `zero-shot`, and whoever needs a label's wordings.
Needs no labelled issue.
"""
