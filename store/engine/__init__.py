"""The database underneath: column types, upserts, the fair lock for writers, the job engine.

Comes in from: the gateways of `store`, nobody else.
Knows no table of ours but the schema's version.
"""
