"""Which parts of a database's URL are secret, beside the password that stands before its host."""

SECRETS_IN_QUERY = frozenset({"password", "sslpassword"})
"""Parameters by which libpq takes passwords as well."""
