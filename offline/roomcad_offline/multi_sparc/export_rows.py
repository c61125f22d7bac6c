"""The sparse inputs as an ONNX graph; see inputs.py, which this must equal.

Rows lie as (A, M, channels, N), points last, which is what engines are fastest at, and channels
in an order of their own (ORDER). Image samples are looked up in one table with a row a pixel.
"""

import numpy as np

from roomcad_offline.multi_sparc.inputs import (
    BEARING,
    DEPTH,
    FAR,
    FARTHEST,
    GAP,
    MASK,
    NEAREST,
    NORMAL,
    RGB,
    sample_pattern,
)
from roomcad_offline.multi_sparc.pose import TINY

# What a table row and an image row begin with: normal, depth, bearing, RGB.
ORDER = [*range(NORMAL, DEPTH), DEPTH, *range(BEARING, BEARING + 3), *range(RGB, RGB + 3), MASK]
Z, RAY, COLOUR, INSTANCE = 3, 4, 7, 10  # first channel of depth, bearing, RGB and instance


def channel_order(channels):
    """Channel of inputs.py for every channel of the rows here."""
    return [*ORDER, *range(len(ORDER), channels)]


class RowWriter:
    """Writes the rows of one image."""

    def __init__(self, graph, config, maps):
        """`config`: ModelConfig; `maps`: {input name: Value} of the loop, without its poses."""
        self.graph, self.inputs = graph, config.inputs
        self.objects, self.n_mul = config.network.n_mul, config.network.n_mul
        self.height, self.width = maps["size"]
        self.valid = maps["valid"].reshape(1, -1, 1, 1)
        self.intrinsics = [_entry(maps["K"], i, j) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2))]
        self.table = self._table(maps)
        self.box = maps["box"]
        n = config.inputs.n_cad
        self.points, self.normals = (
            maps[name].part(1, 0, n).transpose(0, 2, 1).reshape(1, self.objects, 3, n)
            for name in ("cad_points", "cad_normals")
        )

    def box_rows(self):
        """Rows (1, M, C, n_bbox) and mask (1, M, 1, n_bbox) of the box samples."""
        pattern = (sample_pattern(self.inputs.n_bbox).numpy().T - 0.5)[None]
        low, high = (self.box.part(1, k, k + 2).reshape(1, -1, 2, 1) for k in (0, 2))
        where = (low + high) / 2.0 + (high - low) * (1 + self.inputs.box_margin) * pattern
        rows, mask = self._image_rows(where, self.valid, token=0)
        if self.inputs.paired:
            rows = self.graph.concat([rows, self._marks(mask, [0] * 4)], 2)
        return rows, mask

    def cad_rows(self, pose):
        """Rows (A, M, C, 2 n_cad) and mask: image samples at the CAD points, then the points."""
        T, R, S = pose
        graph = self.graph
        points = (R * row(S)) @ self.points + column(T)
        # In proportion to 1 / S, and no division by a vanishing size.
        others = (graph.node("Gather", S, np.array(k), axis=2) for k in ([1, 0, 0], [2, 2, 1]))
        first, second = others
        normals = (R * row(first * second)) @ self.normals
        normals = normals / ((normals * normals).reduce("Sum", 2) + TINY).map("Sqrt")
        # Comparisons with NaN fail, which masks the rows of poses that are no poses.
        sound = (points.map("Abs") < FARTHEST) & (normals.map("Abs") < 2.0)
        sound = sound.cast(np.float32).reduce("Min", 2) > 0.5
        z = points.part(2, 2, 3)
        ahead = (z > NEAREST) & sound & self.valid
        fx, fy, cx, cy = self.intrinsics
        x, y = points.part(2, 0, 1), points.part(2, 1, 2)
        where = graph.concat([fx * x / z + cx, fy * y / z + cy], 2)
        image, seen = self._image_rows(where, ahead, token=1)
        bearing = points / (points * points).reduce("Sum", 2).map("Sqrt")
        cad = graph.concat([normals, z, bearing, self._marks(ahead, [0] * 4 + [2, "slot"])], 2)
        cad = graph.where(ahead, cad, 0.0)
        if self.inputs.paired:
            image, cad = self._pair(image, cad, seen)
        return graph.concat([image, cad], 3), graph.concat([seen, ahead], 3)

    def in_object_frame(self, rows, pose):
        """Rows with 6 more channels, see inputs.in_object_frame."""
        T, R, S = pose
        z, ray = rows.part(2, Z, Z + 1), rows.part(2, RAY, RAY + 3)
        forward = ray.part(2, 2, 3)
        here = (z > 0.0) & (forward > 0.0)
        point = ray * (z / self.graph.where(here, forward, 1.0))
        to_object = R.transpose(0, 1, 3, 2)
        unit = (to_object @ (point - column(T))) / column(S)
        unit = unit.clip(-FAR, FAR)
        normal = to_object @ rows.part(2, 0, 3)
        unit = self.graph.where(here & (unit.map("Abs") <= FAR), unit, 0.0)
        normal = self.graph.where(normal.map("Abs") < 2.0, normal, 0.0)
        return self.graph.concat([rows, unit, normal], 2)

    def _table(self, maps):
        """(H·W, 11) one row a pixel: normal, depth, bearing, RGB, instance."""
        fx, fy, cx, cy = (entry.reshape(1, 1, 1) for entry in self.intrinsics)
        v, u = np.mgrid[: self.height, : self.width].astype(np.float32)
        ray = [(self.graph.value(u[None]) - cx) / fx, (self.graph.value(v[None]) - cy) / fy]
        ray = self.graph.concat([*ray, np.ones_like(u)[None]], 0)
        bearing = ray / (ray * ray).reduce("Sum", 0).map("Sqrt")
        instance = maps["instance"].cast(np.float32).reshape(1, self.height, self.width)
        maps = [maps["normal"], maps["depth"], bearing, maps["rgb"], instance]
        return self.graph.concat(maps, 0).reshape(INSTANCE + 1, -1).transpose(1, 0)

    def _image_rows(self, where, mask, token):
        """Rows of the pixels nearest to `where` (A, M, 2, N), zero where masked, and their mask."""
        graph = self.graph
        pixel = (where + 0.5).map("Floor")
        size = np.float32([self.width, self.height]).reshape(1, 1, 2, 1)
        inside = ((pixel >= 0.0) & (pixel < size)).cast(np.float32).reduce("Min", 2) > 0.5
        mask = mask & inside
        step = np.float32([1, self.width]).reshape(1, 1, 2, 1)
        index = graph.where(mask, (pixel * step).reduce("Sum", 2), 0.0)
        index = index.cast(np.int32).reshape(0, 0, -1)
        found = graph.node("Gather", self.table, index, axis=0).transpose(0, 1, 3, 2)
        slot = np.arange(1, self.objects + 1, dtype=np.float32).reshape(1, -1, 1, 1)
        own = found.part(2, INSTANCE, INSTANCE + 1).equals(slot).cast(np.float32)
        marks = self._marks(mask, [token, "slot"])
        rows = graph.concat([found.part(2, 0, INSTANCE), own, marks], 2)
        return graph.where(mask, rows, 0.0), mask

    def _marks(self, mask, values):
        """Constant channels (A, M, values, N), zero where masked; "slot" is the detection's id."""
        slots = np.arange(self.objects) / max(self.n_mul - 1, 1)
        columns = [slots if v == "slot" else np.full(self.objects, float(v)) for v in values]
        return mask.cast(np.float32) * np.float32(np.stack(columns, 1))[None, :, :, None]

    def _pair(self, image, cad, seen):
        """Rows with 4 more channels: the partner's normal, and the gap between; see inputs.py."""
        depth = image.part(2, Z, Z + 1)
        gap = ((depth - cad.part(2, Z, Z + 1)) / GAP).clip(-2, 2)
        gap = self.graph.where(seen & (depth > 0.0), gap, 0.0)
        shown = seen.cast(np.float32)
        partner = cad.part(2, 0, 3) * shown, image.part(2, 0, 3) * shown
        return tuple(
            self.graph.concat([rows, normal, gap], 2)
            for rows, normal in zip((image, cad), partner, strict=True)
        )


def _entry(matrix, i, j):
    """Entry of a 3x3 matrix as (1, 1, 1, 1)."""
    return matrix.reshape(9).part(0, 3 * i + j, 3 * i + j + 1).reshape(1, 1, 1, 1)


def column(x):
    """(A, M, 3, 1) of (A, M, 3)."""
    return x.reshape(0, 0, 3, 1)


def row(x):
    """(A, M, 1, 3) of (A, M, 3)."""
    return x.reshape(0, 0, 1, 3)
