"""Benchmarks: whole rooms through the robot's own path, scored against the truth."""
