"""One page for the browser: a scenario that computes live, without a network."""
