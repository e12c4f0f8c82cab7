"""What the product does: each use case connects GitHub, store and tagger."""
