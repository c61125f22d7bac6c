"""The instance network: cells of simulated rooms, training, judging, shipping.

roomcad_core.segment.instances runs what is shipped.
"""
