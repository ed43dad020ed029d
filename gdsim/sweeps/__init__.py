"""Sweeps: one scenario over a grid, side by side or at random; stored in chunks, resumed by itself."""
