"""What all of `tagger` speaks of: an issue's text, a label, a training set, a decision.

Comes in from: everywhere. Imports cleaning of text and nothing heavy.
`strategy` holds the contract that every strategy keeps.
"""
