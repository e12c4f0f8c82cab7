"""The service around the models: GitHub, the command line, workers, and all that users meet.

A folder is a capability (see `docs/architecture.md`), `container` is where they are wired together.
Knows neither SQL nor torch; importing it loads nothing.
"""
