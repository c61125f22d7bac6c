"""Measures that know nothing of rooms or networks: overlap, average precision, intervals."""
