"""Teaching: the next issue worth a label, a person's answer, and cheap members trained on it.

Comes in from: `api`. Answers are decisions (`store.decisions`): they count here at once, and go to
GitHub as one run that can be undone, when somebody says so.
"""
