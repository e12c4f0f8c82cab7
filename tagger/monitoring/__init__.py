"""Whether what serves is still good: the gate, live figures, drift, alarms, the audit.

Comes in from: `evaluation`'s report and `bot.evaluating`.
Pure arithmetic over scores and decisions; fits nothing.
"""
