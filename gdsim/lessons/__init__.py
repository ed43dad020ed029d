"""The tutorial: courses as data, checked, taken in a terminal, exported and handed in."""
