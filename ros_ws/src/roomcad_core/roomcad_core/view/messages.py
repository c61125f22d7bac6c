"""Foxglove's messages (protobuf) of furniture, images, clouds and poses."""

from importlib import import_module

import cv2
import numpy as np

from roomcad_core.bags.clouds import xyzrgb_bytes
from roomcad_core.classes import COLORS
from roomcad_core.pictures import encode_picture
from roomcad_core.pose import quaternion
from roomcad_core.types import OTHER

INSTALL = "pip install mcap-protobuf-support foxglove-schemas-protobuf"
PACKAGE = "foxglove_schemas_protobuf"
NAMES = (
    *("CameraCalibration", "Color", "CompressedImage", "FrameTransform", "KeyValuePair"),
    *("LinePrimitive", "PackedElementField", "Point3", "PointCloud", "Pose", "Quaternion"),
    *("SceneEntity", "SceneEntityDeletion", "SceneUpdate", "TextPrimitive"),
    *("TriangleListPrimitive", "Vector3"),
)
NS = 1_000_000_000
JPEG_QUALITY = 85
TEXT_SIZE, LINE_WIDTH = 0.12, 0.01  # [m]
CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
# An edge joins two corners that differ in one coordinate.
EDGES = [(a, b) for a in CUBE for b in CUBE if (b - a).sum() == np.abs(b - a).sum() == 1]


class Messages:
    """Makes messages; stamps are integer nanoseconds.

    Raises ImportError, with the command that installs it, where Foxglove's package is missing.
    """

    def __init__(self, library):
        try:
            modules = {name: import_module(f"{PACKAGE}.{name}_pb2") for name in NAMES}
        except ImportError as error:
            raise ImportError(f"recordings need Foxglove's schemas: {INSTALL}") from error
        self._types = {name: getattr(module, name) for name, module in modules.items()}
        self._library, self._meshes = library, {}

    def scene(self, things, frame_id, stamp_ns):
        """SceneUpdate that replaces all there was; things: Placed, or Alignment with its T, as

        [(id, label, cad_id, T_frame_obj (4, 4), S (3,), score)].
        """
        everything = self._types["SceneEntityDeletion"].ALL
        deletion = self._new("SceneEntityDeletion", stamp_ns, type=everything)
        entities = [self._entity(*thing, frame_id, stamp_ns) for thing in things]
        return self._new("SceneUpdate", deletions=[deletion], entities=entities)

    def transform(self, parent, child, T_parent_child, stamp_ns):
        """FrameTransform."""
        x, y, z = T_parent_child[:3, 3].tolist()
        return self._new(
            "FrameTransform", stamp_ns, parent_frame_id=parent, child_frame_id=child,
            translation=self._new("Vector3", x=x, y=y, z=z),
            rotation=self._rotation(T_parent_child),
        )  # fmt: skip

    def calibration(self, frame, stamp_ns):
        """CameraCalibration of a Frame."""
        height, width = frame.depth.shape
        P = np.hstack([frame.K, np.zeros((3, 1))])
        return self._new(
            "CameraCalibration", stamp_ns, frame_id=frame.frame_id, width=width, height=height,
            distortion_model="plumb_bob", D=[0.0] * 5, K=frame.K.ravel().tolist(),
            R=np.eye(3).ravel().tolist(), P=P.ravel().tolist(),
        )  # fmt: skip

    def image(self, picture, frame_id, stamp_ns):
        """CompressedImage (JPEG) of (H, W, 3) uint8 RGB."""
        data = encode_picture(".jpg", picture, cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
        return self._new("CompressedImage", stamp_ns, frame_id=frame_id, data=data, format="jpeg")

    def cloud(self, frame, stamp_ns):
        """PointCloud (x, y, z, rgb, as in ROS) of a Frame; missing points are left out."""
        points = np.frombuffer(xyzrgb_bytes(frame.color, frame.depth, frame.K), np.float32)
        points = points.reshape(-1, 4)[frame.depth.ravel() > 0]
        number = self._types["PackedElementField"].FLOAT32
        fields = [
            self._new("PackedElementField", name=name, offset=4 * i, type=number)
            for i, name in enumerate(("x", "y", "z", "rgb"))
        ]
        return self._new(
            "PointCloud", stamp_ns, frame_id=frame.frame_id, pose=self._pose(np.eye(4)),
            point_stride=16, fields=fields, data=points.tobytes(),
        )  # fmt: skip

    def _entity(self, number, label, cad_id, T, S, score, frame_id, stamp_ns):
        color, text = self._color(label), f"{label} σ={score:.2f}"
        facts = {"class": label, "sigma": f"{score:.3f}", "cad": cad_id}
        facts["size [m]"] = " x ".join(f"{s:.2f}" for s in S)
        return self._new(
            "SceneEntity", stamp_ns, frame_id=frame_id, id=f"{label}_{number}",
            metadata=[self._new("KeyValuePair", key=k, value=v) for k, v in facts.items()],
            triangles=[self._triangles(cad_id, T, S, color)], lines=[self._box(T, S, color)],
            texts=[self._text(text, T, S, color)],
        )  # fmt: skip

    def _triangles(self, cad_id, T, S, color):
        """The mesh itself: a GLB would have its axes turned by Foxglove, as glTF is y-up."""
        if cad_id not in self._meshes:
            self._meshes[cad_id] = self._library[cad_id].load_mesh()
        vertices, triangles, _ = self._meshes[cad_id]
        return self._new(
            "TriangleListPrimitive", pose=self._pose(T), color=color,
            points=self._points(vertices * S), indices=triangles.ravel().tolist(),
        )  # fmt: skip

    def _box(self, T, S, color):
        points = self._points(np.array(EDGES).reshape(-1, 3) * S)
        kind = self._types["LinePrimitive"].LINE_LIST
        return self._new(
            "LinePrimitive", type=kind, pose=self._pose(T), thickness=LINE_WIDTH, points=points,
            color=color,
        )  # fmt: skip

    def _text(self, text, T, S, color):
        above = T.copy()
        above[:3, 3] += T[:3, 1] * (S[1] / 2 + TEXT_SIZE)  # y is the CAD's up axis
        return self._new(
            "TextPrimitive", pose=self._pose(above), billboard=True, font_size=TEXT_SIZE,
            color=color, text=text,
        )  # fmt: skip

    def _points(self, points):
        new = self._types["Point3"]
        return [new(x=x, y=y, z=z) for x, y, z in np.asarray(points, float).tolist()]

    def _pose(self, T):
        x, y, z = T[:3, 3].tolist()
        position = self._new("Vector3", x=x, y=y, z=z)
        return self._new("Pose", position=position, orientation=self._rotation(T))

    def _rotation(self, T):
        x, y, z, w = quaternion(T[:3, :3]).tolist()
        return self._new("Quaternion", x=x, y=y, z=z, w=w)

    def _color(self, label):
        r, g, b = (value / 255 for value in COLORS.get(label, COLORS[OTHER]))
        return self._new("Color", r=r, g=g, b=b, a=1.0)

    def _new(self, name, stamp_ns=None, /, **fields):
        """A message of type `name`; with a stamp, where it has one."""
        message = self._types[name](**fields)
        if stamp_ns is not None:
            message.timestamp.seconds, message.timestamp.nanos = divmod(stamp_ns, NS)
        return message
