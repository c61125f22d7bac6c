"""The whole refinement loop of one image as an ONNX graph: refine.refine, unrolled.

n updates and a scoring pass, all initialisations at once. What does not depend on the pose is
computed once: the table of pixels, the rows of the box samples and, where the rows hold nothing
in the object's frame, their tokens and what the first block reads of them.
"""

import numpy as np

from roomcad_offline.multi_sparc.export_graph import Graph
from roomcad_offline.multi_sparc.export_network import NetworkWriter
from roomcad_offline.multi_sparc.export_rows import RowWriter
from roomcad_offline.multi_sparc.pose import LOGIT, TINY

FREE = "initialisations"  # name of the free axis
OUTPUTS = ("T_out", "R_out", "S_out", "logit")


def loop_model(network, n, height, width):
    """ModelProto of n updates and a scoring pass for maps of height x width pixels."""
    config, graph = network.config, Graph()
    inputs = input_shapes(config, height, width)
    values = {name: graph.input(name) for name in inputs}
    maps = values | {"size": (height, width)}
    rows = RowWriter(graph, config, maps)
    passes = NetworkWriter(graph, network, values["valid"])
    pose = values["T"], values["R"], values["S"]
    tokens = TokenWriter(graph, config, rows, passes, pose)
    for step in range(n + 1):
        output = passes.outputs(*tokens.at_pose(pose))
        if step < n:
            pose = updated(graph, pose, output, config.network.scale_factor)
    logit = output.part(2, LOGIT, LOGIT + 1).reshape(0, -1)
    for value, name in zip((*pose, logit), OUTPUTS, strict=True):
        graph.node("Identity", value, output=name)
    return graph.model("multi_sparc", inputs, output_shapes(config))


def input_shapes(config, height, width):
    """{name: (dtype, shape)} of the inputs."""
    objects, points = config.network.n_mul, config.inputs.n_cad
    return {
        "rgb": ("float32", (3, height, width)),
        "normal": ("float32", (3, height, width)),
        "depth": ("float32", (1, height, width)),
        "instance": ("int32", (height, width)),
        "K": ("float32", (3, 3)),
        "valid": ("bool", (objects,)),
        "box": ("float32", (objects, 4)),
        "cad_points": ("float32", (objects, points, 3)),
        "cad_normals": ("float32", (objects, points, 3)),
        **pose_shapes(objects, ("T", "R", "S")),
    }


def output_shapes(config):
    """{name: (dtype, shape)} of the outputs."""
    objects = config.network.n_mul
    return pose_shapes(objects, OUTPUTS[:3]) | {"logit": ("float32", (FREE, objects))}


def pose_shapes(objects, names):
    """{name: (dtype, shape)} of T, R and S."""
    sizes = ((3,), (3, 3), (3,))
    return {
        name: ("float32", (FREE, objects, *size)) for name, size in zip(names, sizes, strict=True)
    }


class TokenWriter:
    """Writes all tokens at a pose; those of the box samples are computed once where possible."""

    def __init__(self, graph, config, rows, passes, pose):
        self.graph, self.inputs, self.rows, self.passes = graph, config.inputs, rows, passes
        box, mask = rows.box_rows()
        self.boxes, self.others = slice(self.inputs.n_bbox), slice(self.inputs.n_bbox, None)
        if self.inputs.object_frame:
            mask = self._for_all(mask.cast(np.float32), pose) > 0.5
            self.fixed = self._for_all(box, pose), mask
        else:
            tokens = passes.tokens(box, mask, self.boxes)
            self.fixed = self._for_all(tokens, pose), passes.glance(tokens)

    def at_pose(self, pose):
        """(A, M, C, N) tokens, and the Glances at them."""
        rows, mask = self.rows.cad_rows(pose)
        if not self.inputs.object_frame:
            tokens, glance = self.fixed
            moving = self.passes.tokens(rows, mask, self.others)
            glances = glance, self.passes.glance(moving)
            return self.graph.concat([tokens, moving], 3), glances
        rows = self.graph.concat([self.fixed[0], rows], 3)
        mask = self.graph.concat([self.fixed[1], mask], 3)
        tokens = self.passes.tokens(self.rows.in_object_frame(rows, pose), mask, slice(None))
        return tokens, (self.passes.glance(tokens),)

    def _for_all(self, value, pose):
        """(A, ...) of (1, ...)."""
        times = self.graph.node("Shape", pose[0], start=0, end=1)
        shape = self.graph.concat([times, np.ones(3, np.int64)], 0)
        return self.graph.node("Expand", value, shape)


def updated(graph, pose, output, scale_factor):
    """The pose after one update by outputs (A, M, 11); see pose.update."""
    T, R, S = pose
    turned = R @ _rotation(graph, output.part(2, 3, 7))
    scaled = S * _factor(output.part(2, 7, 10), scale_factor)
    return _moved(graph, T, output.part(2, 0, 3), scale_factor), turned, scaled


def _factor(x, kind):
    return x.map("Sigmoid") * 2.0 if kind == "2sigmoid" else x.map("Tanh").map("Exp")


def _moved(graph, T, output, scale_factor):
    """Translation (A, M, 3) moved in polar coordinates."""
    x, y, z = (T.part(2, k, k + 1) for k in range(3))
    factor = _factor(output.part(2, 0, 1), scale_factor)
    sine, cosine = output.map("Sin"), output.map("Cos")
    sin_phi, cos_phi = sine.part(2, 1, 2), cosine.part(2, 1, 2)
    sin_theta, cos_theta = sine.part(2, 2, 3), cosine.part(2, 2, 3)
    level = (x * x + z * z + TINY).map("Sqrt")
    reach = factor * (level * cos_theta - y * sin_theta) / level
    height = factor * (y * cos_theta + level * sin_theta)
    side, forward = reach * (x * cos_phi + z * sin_phi), reach * (z * cos_phi - x * sin_phi)
    return graph.concat([side, height, forward], 2)


def _rotation(graph, output):
    """(A, M, 3, 3) rotation of a raw quaternion xyzw (A, M, 4): I + 2 (w [v] + [v]²)."""
    q = output + np.float32([0, 0, 0, 1])
    q = q / ((q * q).reduce("Sum", 2) + TINY).map("Sqrt")
    # Products of all pairs, of which every entry of the rotation is a sum.
    products = (q.reshape(0, 0, 4, 1) * q.reshape(0, 0, 1, 4)).reshape(0, 0, 16)
    return (products @ _products_to_rotation() + np.eye(3, dtype=np.float32).ravel()).reshape(
        0, 0, 3, 3
    )


def _products_to_rotation():
    """(16, 9): products of the quaternion's entries xyzw to the rotation without its identity."""
    x, y, z, w = range(4)
    entries = [
        [(y, y, -2), (z, z, -2)], [(x, y, 2), (w, z, -2)], [(x, z, 2), (w, y, 2)],
        [(x, y, 2), (w, z, 2)], [(x, x, -2), (z, z, -2)], [(y, z, 2), (w, x, -2)],
        [(x, z, 2), (w, y, -2)], [(y, z, 2), (w, x, 2)], [(x, x, -2), (y, y, -2)],
    ]  # fmt: skip
    weight = np.zeros((16, 9), np.float32)
    for entry, terms in enumerate(entries):
        for a, b, factor in terms:
            weight[4 * a + b, entry] += factor
    return weight
