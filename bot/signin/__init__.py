"""Who is at the pages, and what they may do: one-time links, GitHub's sign-in, tokens of scripts.

Comes in from: `api`, `pages`, `service`. What a person may do in a repository is asked of GitHub
under that person's own name and kept for minutes; nothing here names a repository to anybody
before GitHub has shown it to them.
"""
