"""Thin ROS 2 nodes around roomcad_core: messages in, the core's three calls, messages out."""
