"""Every critical point of a formula of several weights, with proof."""
