"""Multi-SPARC: sparse render-and-compare of several CAD models at once (network and training).

In reading order: `batch` (what goes in), `inputs` (13 channels per sample), `network` (the
Perceiver), `pose` (what its outputs mean), `refine` (the loop), `sampling`, `losses` and `lamb`
(how it is trained).
"""
