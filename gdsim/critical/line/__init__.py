"""Every critical point of a formula of one weight, with proof."""
