"""From a release that serves to a small one: distillation, pruning, whole numbers of eight bits."""
