"""Training transformers: tokens in batches, schedules, losses, one loop for every objective."""
