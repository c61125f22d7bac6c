"""A room of a few things for the tests of the tracks, and an aligner that knows the truth."""

import dataclasses

import cv2
import numpy as np
import pytest

from roomcad_core.camera import project, unproject
from roomcad_core.gravity import gravity_frame
from roomcad_core.library import Library
from roomcad_core.pose import affine, inverse, rigid, rotation_y, transform, upright_rotation
from roomcad_core.types import Alignment, Frame, Object, Segmentation

SHAPE = (120, 160)
K = np.array([[140.0, 0, 79.5], [0, 140, 59.5], [0, 0, 1]])
WALL = 6.0  # [m] depth where there is no thing
CAMERA = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.2], [0, 0, 0, 1.0]])


def camera_at(x=0.0, y=0.0, heading=0.0):
    """T_world_cam of a level camera 1.2 m above the floor; heading 0 looks along x."""
    c, s = np.cos(heading), np.sin(heading)
    turn = rigid(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), [x, y, 0])
    return turn @ CAMERA


@dataclasses.dataclass
class Thing:
    """A piece of furniture, and what the segmentation and the aligner make of it."""

    id: int
    model: object
    T_world_obj: np.ndarray
    S: np.ndarray
    sigma: float = 0.9  # score of its next alignments
    label: str = ""  # what it is classified as; "" = its class
    there: bool = True  # in the depth image
    segmented: bool = True


class World:
    """Things before a wall, seen by level cameras; objects have the ids of their things."""

    def __init__(self, library):
        self.library, self.things = library, {}
        self.T_world_cam = camera_at()  # of the last frame

    def put(self, label, x, y, yaw=0.0, symmetry=None):
        """Stand the first model of a class (and symmetry) on the floor; returns the Thing."""
        models = self.library.of_class(label)
        model = next(m for m in models if symmetry in (None, m.symmetry))
        T = rigid(upright_rotation(yaw), [x, y, model.size[1] / 2])
        thing = Thing(len(self.things) + 1, model, T, model.size.copy())
        self.things[thing.id] = thing
        return thing

    def frame(self, stamp, T_world_cam=None, posed=True, frame_id="camera"):
        """(Frame, Segmentation) at a time; with posed=False nobody is told where the camera is."""
        self.T_world_cam = T_world_cam = camera_at() if T_world_cam is None else T_world_cam
        depth, ids = self._drawn(inverse(T_world_cam))
        color = np.zeros((*SHAPE, 3), np.uint8)
        known = T_world_cam if posed else None
        frame = Frame(stamp, color, depth, K, known, frame_id, ids)
        T_grav_cam = gravity_frame([0, -1, 0])
        objects = tuple(
            o for o in (self._object(i, depth, ids, T_grav_cam) for i in self.things) if o
        )
        return frame, Segmentation(ids, objects, T_grav_cam, -1.2)

    def _drawn(self, T_cam_world):
        depth, ids = np.full(SHAPE, WALL, np.float32), np.zeros(SHAPE, np.uint16)
        for thing in (t for t in self.things.values() if t.there):
            points = transform(T_cam_world @ affine(thing.T_world_obj, thing.S), thing.model.points)
            uv, z = project(points, K)
            ok = (z > 0.2) & (uv > -0.5).all(1) & (uv < [SHAPE[1] - 0.5, SHAPE[0] - 0.5]).all(1)
            u, v = np.rint(uv[ok]).astype(int).T
            own = np.full(SHAPE, np.inf, np.float32)
            np.minimum.at(own, (v, u), z[ok].astype(np.float32))
            own = cv2.erode(own, np.ones((5, 5)))  # closes the gaps between the points
            ids[own < depth] = thing.id
            depth = np.minimum(depth, own)
        return depth, ids

    def _object(self, i, depth, ids, T_grav_cam):
        thing, mask = self.things[i], ids == i
        if not thing.segmented or mask.sum() < 30:
            return None
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        points = transform(T_grav_cam, unproject(depth, K)[mask]).astype(np.float32)
        label = thing.label or thing.model.label
        return Object(i, np.float32(box), points, label, 1.0, {label: 1.0}, (thing.model.id,))


class TrueAligner:
    """Aligns every object to its thing; `asked` lists the starts of each call.

    From scratch it gives the true pose, or a symmetric one turned by another symmetric turn every
    call; from a Start each update halves the distance. `noise` [m] shifts each result.
    """

    def __init__(self, world, noise=0.0):
        self.world, self.noise = world, noise
        self.asked, self.passes = [], {}
        self._rng = np.random.default_rng(0)

    def __call__(self, frame, segmentation, starts=None):
        self.asked.append(starts or {})
        self.passes = {}
        return tuple(self._align(obj, self.asked[-1].get(obj.id)) for obj in segmentation.objects)

    def _align(self, obj, start):
        thing = self.world.things[obj.id]
        T_cam_world = inverse(self.world.T_world_cam)
        turns = {"2-fold": 2, "4-fold": 4, "rotational": 36}.get(thing.model.symmetry, 1)
        turn = rotation_y(len(self.asked) * 2 * np.pi / turns)
        T = T_cam_world @ thing.T_world_obj @ rigid(turn, np.zeros(3))
        if start:
            T_start = start.poses[0][0]
            T = T_cam_world @ thing.T_world_obj
            left = 0.5**start.updates * (T_start[:3, 3] - T[:3, 3])
            T = rigid(T_start[:3, :3], T[:3, 3] + left)
        T[:3, 3] += self._rng.normal(0, self.noise, 3)
        self.passes[obj.id] = len(start.poses) * (start.updates + 1) if start else 16
        cad_id = start.cad_id if start else thing.model.id
        label = self.world.library[cad_id].label
        return Alignment(obj.id, label, cad_id, T, thing.S, thing.sigma, 1.0)


@pytest.fixture(scope="session")
def cad_library():
    """The built-in CAD library."""
    return Library.load()


@pytest.fixture
def track_world(cad_library):
    """An empty World."""
    return World(cad_library)


@pytest.fixture
def true_aligner():
    """The class TrueAligner."""
    return TrueAligner


@pytest.fixture
def at():
    """camera_at: T_world_cam of a level camera."""
    return camera_at
