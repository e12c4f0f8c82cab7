"""GitHub as this product sees it: requests, payloads, signatures, rate limits."""
