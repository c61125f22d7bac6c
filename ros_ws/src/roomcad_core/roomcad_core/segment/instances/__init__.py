"""Instances by a network: it tells for every pixel where the centre of its object is."""

from roomcad_core.segment.instances.network import (
    InstanceNetwork,
    load_instance_network,
    make_instances,
)

__all__ = ["InstanceNetwork", "load_instance_network", "make_instances"]
