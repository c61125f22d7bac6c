"""ScanNet's .sens file as a dataset, read frame by frame through a table of offsets.

ScanNet worlds are z-up and stay as they are; others are turned (option `up`). Poses with -inf
mark lost tracking and give frames without a pose.
"""

import logging

import numpy as np

from roomcad_core.datasets.base import FIRST_STAMP, Dataset
from roomcad_core.datasets.grid import ColorOnDepthGrid
from roomcad_core.datasets.sens_layout import (
    ByteReader,
    decode_depth,
    decode_sens_color,
    read_entry,
    read_header,
)
from roomcad_core.datasets.text_files import check_against_image
from roomcad_core.datasets.world import to_z_up
from roomcad_core.pose import inverse
from roomcad_core.types import Frame

log = logging.getLogger(__name__)


class SensFile(Dataset):
    """Frames of a .sens file."""

    LOOKS_FOR = "a file *.sens"

    def __init__(self, path, config):
        super().__init__(path, config)
        with path.open("rb") as file:
            reader = ByteReader(file, path)
            self._header = read_header(reader)
            self._entries = self._read_entries(reader)
        head = self._header
        self.stamps = entry_stamps(self._entries, config.fps)
        self._T_world_raw = to_z_up(config.up, [e.T_raw_base for e in self._entries])
        T_color_depth = inverse(head.T_base_color) @ head.T_base_depth
        self._to_grid = ColorOnDepthGrid(head.K_color, head.K_depth, T_color_depth, str(path))

    @staticmethod
    def found_at(path):
        return path.is_file() and path.suffix == ".sens"

    def _read_entries(self, reader):
        """Offsets of all complete frames; a file cut off in a frame is bad data."""
        entries = []
        for number in range(self._header.n_frames):
            at = reader.at
            try:
                entries.append(read_entry(reader, number))
            except ValueError as error:
                self.on_bad(error)
                if reader.at == at:  # cut off: nothing follows
                    break
        if not entries:
            raise ValueError(f"{self.path}: no complete frame")
        lost = sum(e.T_raw_base is None for e in entries)
        if lost:
            log.warning("%s: %d of %d frames have no pose", self.path, lost, len(entries))
        return entries

    def _read(self, i):
        entry, head = self._entries[i], self._header
        with self.path.open("rb") as file:
            file.seek(entry.color_at)
            color_data = file.read(entry.color_size)
            depth_data = file.read(entry.depth_size)
        source = f"{self.path}: frame {i}"
        depth = decode_depth(depth_data, head, source)
        color = decode_sens_color(color_data, head, source)
        check_against_image(head.K_depth, depth.shape, f"{self.path}: depth intrinsics")
        T = entry.T_raw_base
        return Frame(
            stamp=float(self.stamps[i]),
            color=self._to_grid(color, depth),
            depth=depth,
            K=head.K_depth,
            T_world_cam=None if T is None else self._T_world_raw @ T @ head.T_base_depth,
            name=f"{self.path.stem}/{i:06d}",
        )


def entry_stamps(entries, fps):
    """(N,) seconds: the recorded stamps where they increase, else position / fps."""
    recorded = np.array([entry.stamp_us for entry in entries], float) * 1e-6
    if len(recorded) > 1 and (np.diff(recorded) > 0).all():
        return recorded - recorded[0] + FIRST_STAMP
    return FIRST_STAMP + np.arange(len(entries)) / fps
