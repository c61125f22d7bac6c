"""Depth image or point cloud to class-agnostic objects in a gravity-aligned frame."""

from roomcad_core.segment.cloud import depth_from_cloud
from roomcad_core.segment.segmenter import Segmenter

__all__ = ["Segmenter", "depth_from_cloud"]
