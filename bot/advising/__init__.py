"""What maintainers are told of an issue beside its labels; advice, and never a deed.

`advice` is what is said, `advice_words` puts it into Markdown, `advisor` works it out and keeps
it, `duplicates` finds the likely original. `bot.labelling`, `bot.conversations` and the pages come
in here.
"""
