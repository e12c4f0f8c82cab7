"""What is said of issues beside their labels, and what people say that it is measured on.

`advice` is the gateway to both. `store.unit_of_work` comes in here.
"""
