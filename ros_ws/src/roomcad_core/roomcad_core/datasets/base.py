"""What all datasets share: length, indexing, stamps, and the handling of damaged frames."""

import logging
from operator import index

import numpy as np

log = logging.getLogger(__name__)

# ROS takes stamp 0 for "not set" and tf2 for "the latest", so data without stamps start here.
FIRST_STAMP = 1.0


class Dataset:
    """RGB-D frames in stamp order. Subclasses fill `stamps` and implement `_read(i)`.

    Attributes:
        name: short name, from the path.
        stamps: (N,) float64 seconds, increasing.
        ground_truth: tuple of types.Placed in the z-up world, or None where there is none.
    """

    LOOKS_FOR = ""  # what `found_at` wants to see, in words

    def __init__(self, path, config):
        self.path = path
        self.config = config
        self.name = path.stem if path.is_file() else path.resolve().name
        self.stamps = np.zeros(0)
        self.ground_truth = None

    @staticmethod
    def found_at(path):
        """True if data of this kind are at `path`."""
        raise NotImplementedError

    def _read(self, i):
        raise NotImplementedError

    @property
    def fps(self):
        """Frames per second: from the median stamp difference."""
        if len(self.stamps) < 2:
            return self.config.fps
        return float(1.0 / np.median(np.diff(self.stamps)))

    def __len__(self):
        return len(self.stamps)

    def __getitem__(self, i):
        """Frame i; ValueError or FileNotFoundError naming the file or topic if it is damaged."""
        i = index(i)
        if not -len(self) <= i < len(self):
            raise IndexError(f"{self.path}: frame {i} of {len(self)}")
        return self._read(i % len(self))

    def __iter__(self):
        return self.frames()

    def frames(self, indices=None):
        """Yield frames; a damaged one raises or, with bad="skip", is left out with a warning."""
        for i in range(len(self)) if indices is None else indices:
            try:
                frame = self[i]
            except (ValueError, OSError) as error:
                self.on_bad(error)
                continue
            yield frame

    def on_bad(self, error):
        """Raise `error`, or log it where the reader was told to skip damaged data."""
        if self.config.bad == "raise":
            raise error
        log.warning("skipped: %s", error)
