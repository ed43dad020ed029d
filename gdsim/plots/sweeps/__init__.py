"""Pictures of sweeps: pure functions sweep → matplotlib ``Figure``."""
