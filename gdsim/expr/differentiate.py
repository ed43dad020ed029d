"""The derivative of a tree, with the rule that was used at each node."""
