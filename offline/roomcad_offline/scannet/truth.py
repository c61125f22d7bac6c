"""What all kinds of frame truth share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from roomcad_core.datasets.base import Dataset
from roomcad_core.types import Frame
from roomcad_offline.scannet.boxes import Box
from roomcad_offline.scannet.categories import Category


@dataclass(frozen=True)
class FrameTruth:
    """What is seen in one frame, on the pixel grid of its depth."""

    instances: np.ndarray  # (H, W) int32, 0 = nothing known here
    categories: dict[int, Category]  # of every id in `instances` but 0


class Truth:
    """Truth of the frames of a dataset. Subclasses implement `of` and fill the attributes.

    Attributes:
        boxes: true boxes of the whole room in the aligned frame, or None where nobody knows.
        T_aligned_world: (4, 4) from the dataset's world to the frame of the boxes, or None.
    """

    LOOKS_FOR = ""  # what `found_at` wants to see, in words
    boxes: list[Box] | None = None
    T_aligned_world: np.ndarray | None = None

    def __init__(self, folder: Path, dataset: Dataset):
        self.folder, self.dataset = folder, dataset

    @staticmethod
    def found_at(folder: Path) -> bool:
        """True if truth of this kind is in `folder`."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> FrameTruth | None:
        """Truth of frame i of the dataset."""
        return self.of(self.dataset[i])

    def of(self, frame: Frame) -> FrameTruth | None:
        """Truth of a frame that is read already; None where it cannot be known.

        Raises:
            FileNotFoundError, ValueError: the frame's truth is missing or damaged.
        """
        raise NotImplementedError


def frame_key(frame: Frame) -> str:
    """Stem of the files that a frame of a folder is from."""
    return frame.name.rsplit("/", 1)[-1]


def read_ids(path: Path) -> np.ndarray:
    """(H, W) int32 of an 8- or 16-bit grey PNG of ids."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: not readable as PNG")
    if image.dtype not in (np.uint8, np.uint16) or image.ndim != 2:
        raise ValueError(
            f"{path}: got {image.dtype} of shape {image.shape}, expected uint8 or uint16 (H, W)"
        )
    return image.astype(np.int32)
