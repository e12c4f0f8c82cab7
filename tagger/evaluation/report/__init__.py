"""The report of an evaluation: one JSON document, one Markdown text, one self-contained page.

Comes in from: `bot.evaluating`; `view` is what every chapter looks at, `page` puts them in order.
No script, no request, every text escaped.
"""
