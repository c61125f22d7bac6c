"""Simulated rooms whose layout is that of a real room: boxes of where things stand."""
