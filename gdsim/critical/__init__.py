"""Critical points: where every ∂L/∂w is zero or the loss has a kink, and what each one is."""
