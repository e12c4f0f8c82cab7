"""What any process of the product needs: settings, logs, progress, memory, keeping a lease.

Comes in from: everywhere above; uses nothing of GitHub, and the store only to read its errors.
`settings` is the only file that reads the environment.
"""
