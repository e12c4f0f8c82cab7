"""What waits for a worker: deliveries, tasks, leases, pauses, and whose turn it is.

Comes in from: `store.unit_of_work`, which hands the gateways out.
A row is claimed by one worker, under a lease that ends when the worker dies.
"""
