"""A stand-in for an instance network, which knows where the things of a room are."""

import numpy as np

from roomcad_core.engine import TensorSpec
from roomcad_core.segment.instances import InstanceNetwork
from roomcad_core.segment.instances.channels import CHANNELS, REACH
from roomcad_core.segment.instances.model_files import INPUT, KINDS, InstanceSpec, outputs

SIZE = 120, 160  # of its cells
NEAR = 0.02  # a cell shows a thing that is nearer than this [m]
ON_FLOOR = 0.02  # lower cells show the floor [m]


def oracle(things, camera=(0, 0)):
    """InstanceNetwork that finds exactly `things`; see Oracle."""
    spec = InstanceSpec("oracle", None, "", SIZE[1], SIZE[0], KINDS)
    return InstanceNetwork(spec, Oracle(things, camera))


class Oracle:
    """An engine that tells every cell's object by where it is.

    Args:
        things: {id: [(low, high), ...]}, boxes that each of them is made of, as opposite corners
            (3,) [m]: x along the camera's heading, y to its left, z above the floor.
        camera: (x, y) where the camera is among them [m].
    """

    inputs = {INPUT: TensorSpec(np.dtype("float32"), (1, len(CHANNELS), *SIZE))}
    outputs = {
        name: TensorSpec(np.dtype("float32"), (*shape, *SIZE))
        for name, shape in outputs(KINDS).items()
    }

    def __init__(self, things, camera):
        self._things, self._camera = things, camera

    def __call__(self, feeds):
        cells = dict(zip(CHANNELS, feeds[INPUT][0], strict=True))
        x, y = cells["ahead"] * REACH, cells["left"] * REACH
        points = np.stack([x + self._camera[0], y + self._camera[1], cells["height"]], -1)
        ids = np.zeros(SIZE, int)
        for i, boxes in self._things.items():
            for low, high in boxes:
                inside = (points > np.subtract(low, NEAR)) & (points < np.add(high, NEAR))
                ids[inside.all(-1) & (points[..., 2] > ON_FLOOR)] = i
        ids[cells["known"] == 0] = 0
        offset = np.zeros((3, *SIZE), np.float32)
        for i in np.unique(ids[ids > 0]):
            offset[:, ids == i] = (points[ids == i].mean(0) - points[ids == i]).T
        found = (ids > 0).astype(np.float32)[None]
        return {"foreground": found, "seed": 0.9 * found, "offset": offset[None],
                "spread": np.full((1, *SIZE), 0.1, np.float32),
                "kinds": np.zeros((1, len(KINDS), *SIZE), np.float32)}  # fmt: skip
