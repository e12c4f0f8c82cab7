"""How work gets to workers: the queues of deliveries and of tasks, their schedule, the pool.

Comes in from: the service and `issue-tagger work`. A delivery's handler is looked up in
`delivery_handlers`, a task's in `task_kinds`; SQLite and PostgreSQL stand behind one `JobSource`.
"""
