"""The report of an evaluation: one JSON document, one Markdown text, one self-contained page."""
