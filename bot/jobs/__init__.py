"""How work gets to workers: deliveries that came in, tasks asked for, tasks that come round."""
