"""From scores to labels on GitHub: snapshot, policy, writing, giving way, suggestions, why.

Comes in from: `jobs` for a delivery, `conversations` for `/tagger retry`, `backfilling`.
Every write goes through `writing`, every decision through `policy`.
"""
