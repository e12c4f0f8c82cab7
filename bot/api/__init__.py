"""`/api/v1`: what the pages show and do, as documented JSON; the pages use nothing else.

Comes in from: `pages`, `service`. Each function takes who is asking and answers with a document,
or refuses: a repository that somebody may not see is, to them, one that is not there.
"""
