"""Simulated rooms: furniture of a CAD library, rendered as a noisy RGB-D sequence with truth."""
