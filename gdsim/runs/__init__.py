"""A scenario, run: composed, executed, summarised, stored, loaded, continued, compared."""
