"""Issues in files as people have them: which shape a file has, and the rows in it.

Comes in from: `repositories.issue_files`. Text to rows of GitHub's REST shape, in bounded memory;
what cannot be read is refused with the command that turns it into what can.
"""
