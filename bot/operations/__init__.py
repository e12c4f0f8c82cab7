"""What who runs the service looks at: doctor, metrics, deliveries that failed.

Comes in from: the command line and the service's `/metrics`.
Reads everything, changes only what `failed --retry` asks for.
"""
