"""How good each strategy is, from how many labelled issues, and whether a release may serve."""
