"""Truth of ScanNet-style frame folders on the depth grid: what is seen at every pixel.

`open_truth` knows two kinds of folders: ScanNet's own label and instance images (label_images.py)
and Scan2CAD surfaces beside boxes (scan2cad.py).
"""

from __future__ import annotations

from pathlib import Path

from roomcad_core.datasets.base import Dataset
from roomcad_offline.scannet.boxes import Box, read_boxes
from roomcad_offline.scannet.label_images import LabelImages
from roomcad_offline.scannet.scan2cad import Scan2CadSurfaces
from roomcad_offline.scannet.truth import FrameTruth, Truth

__all__ = ["Box", "FrameTruth", "Truth", "open_truth", "read_boxes"]

KINDS = (LabelImages, Scan2CadSurfaces)


def open_truth(folder: str | Path, dataset: Dataset) -> Truth:
    """The truth that lies in `folder` for the frames of `dataset`.

    `truth[i]` is the FrameTruth of frame i, or None where it cannot be known (no pose).

    Raises:
        ValueError: there is none of a known kind; the message lists what was looked for.
    """
    folder = Path(folder)
    for kind in KINDS:
        if kind.found_at(folder):
            return kind(folder, dataset)
    looked_for = "; ".join(kind.LOOKS_FOR for kind in KINDS)
    raise ValueError(f"{folder}: no truth of the frames here. Looked for {looked_for}")
