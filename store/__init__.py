"""What issue-tagger remembers: repositories, issues, deliveries, predictions, releases.

`Store` (store.database) opens a database; `with store.begin() as work:` is one transaction whose
gateways (`work.issues`, `work.inbox`, …) take and return the frozen dataclasses of
`store.records`. Knows SQL, and neither GitHub nor HTTP nor the terminal.
"""
