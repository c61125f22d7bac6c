"""Depth and surface normals from a single colour image, by small convolutional networks."""

from roomcad_core.rgb_geometry.geometry import RgbGeometry, make_geometry
from roomcad_core.rgb_geometry.networks import (
    DepthNetwork,
    NormalNetwork,
    load_depth_network,
    load_normal_network,
)

__all__ = [
    "DepthNetwork",
    "NormalNetwork",
    "RgbGeometry",
    "load_depth_network",
    "load_normal_network",
    "make_geometry",
]
