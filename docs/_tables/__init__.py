"""The tables that reference.py writes into the pages."""
