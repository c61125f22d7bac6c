"""What real depth and colour cameras make of a noise-free view.

The parameters were fitted to real recordings by `roomcad-offline sensors compare`
(offline/results/sensors.md), or come from published measurements; kinds.py says which.
"""
