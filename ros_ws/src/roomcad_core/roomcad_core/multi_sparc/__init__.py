"""Multi-SPARC on the robot: what goes into the exported loop, the loop, and what comes out."""

from roomcad_core.multi_sparc.aligner import MultiSparcAligner

__all__ = ["MultiSparcAligner"]
