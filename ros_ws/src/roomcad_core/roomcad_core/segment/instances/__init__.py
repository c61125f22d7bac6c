"""Instances by a network: it tells for every pixel where the centre of its object is, and what
class its surroundings make it."""

from roomcad_core.segment.instances.context import context_classes
from roomcad_core.segment.instances.network import (
    InstanceNetwork,
    load_instance_network,
    make_instances,
)

__all__ = [
    "InstanceNetwork",
    "context_classes",
    "load_instance_network",
    "make_instances",
]
