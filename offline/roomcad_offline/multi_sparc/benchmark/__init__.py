"""The fixed alignment benchmark: simulated rooms of CAD models that are never trained on.

In reading order: `rooms` (models and rooms on disk), `views` (what is to be aligned, and what
counts), `maps` (frames as the network sees them), `network` (aligns with the truth given),
`stages` and `outcomes` (the robot's own), `judge` (who is right), `report`, `figures` and
`sheet` (what comes out), `run` and `cli` (all of it, and the command).
"""
