"""What happened to a run and why, in plain words; where it stands against 2/L; what it crossed."""
