"""What is to be aligned: all object views of the rooms, and which of them count.

An object view is a piece of furniture of which a frame shows at least MIN_PIXELS map pixels and
MIN_VISIBLE of its silhouette (what would be seen of it if nothing stood before it and the image
had no border); it is given to the aligners. As in the paper's per-image evaluation (section 4.1)
it counts if its CAD centre projects into the image and at least AGREEING of the pixels of the
CAD, rendered alone in its true pose, have a depth within TOLERANCE of the sensor's; pixels
without a sensor depth are left out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from roomcad_core.camera import project
from roomcad_core.classes import CLASSES
from roomcad_core.pose import affine, inverse, transform
from roomcad_offline.multi_sparc.benchmark.maps import true_maps
from roomcad_offline.multi_sparc.benchmark.rooms import read_room

MIN_PIXELS = 40  # of the maps; both as the training scenes ask
MIN_VISIBLE = 0.08
AGREEING = 0.5
TOLERANCE = 0.30  # [m]
RULE = (
    f"object view: at least {MIN_PIXELS} px of the 160x120 maps and {100 * MIN_VISIBLE:.0f} % of"
    f" the silhouette visible; it counts if the CAD centre is in the image and at least"
    f" {100 * AGREEING:.0f} % of the rendered CAD's pixels lie within {100 * TOLERANCE:.0f} cm of"
    " the sensor's depth"
)


@dataclass(frozen=True, eq=False)
class ObjectView:
    """One piece of furniture in one frame, with its true pose."""

    room: str  # name of the room's folder
    frame: int  # position in the room's dataset
    id: int  # in the frame's instances
    label: str
    cad_id: str
    symmetry: str
    T_cam_obj: np.ndarray  # (4, 4)
    S: np.ndarray  # (3,) [m]
    pixels: int  # visible pixels of the maps
    visible: float  # share of the silhouette that is visible
    agreeing: float  # share of the rendered pixels near the sensor's depth
    centred: bool  # the CAD centre projects into the image

    @property
    def counted(self):
        """It enters the per-image accuracy."""
        return self.centred and self.agreeing >= AGREEING


def all_views(folder, rooms, library):
    """ObjectViews of all frames of room folders, read from views.json where that is theirs."""
    from tqdm import tqdm

    path, names = Path(folder) / "views.json", [Path(r).name for r in rooms]
    if path.exists():
        stored = json.loads(path.read_text())
        if stored["rule"] == RULE and stored["rooms"] == names:
            return [from_record(record) for record in stored["views"]]
    found = []
    for room in tqdm(rooms, "object views", unit="room"):
        found += room_views(room, library)
    records = [to_record(v) for v in found]
    path.write_text(json.dumps({"rule": RULE, "rooms": names, "views": records}) + "\n")
    return [from_record(record) for record in records]


def room_views(room, library):
    """ObjectViews of all frames of a room folder."""
    dataset, meshes, views = read_room(room), Meshes(library), []
    for number, frame in enumerate(dataset):
        name = Path(room).name, number
        T_cam_world = inverse(frame.T_world_cam)
        views += frame_views(name, true_maps(frame), T_cam_world, dataset.ground_truth, meshes)
    return views


class Meshes:
    """Vertices (V, 3), unit frame, and triangles (F, 3) of a Library's models, read once."""

    def __init__(self, library):
        self._library, self._read = library, {}

    def __getitem__(self, cad_id):
        if cad_id not in self._read:
            self._read[cad_id] = self._library[cad_id].load_mesh()[:2]
        return self._read[cad_id]


def frame_views(name, maps, T_cam_world, ground_truth, meshes):
    """ObjectViews of one frame.

    Args:
        name: room and position of the frame.
        maps: its Maps with true instances.
        T_cam_world: (4, 4).
        ground_truth: Placed models of the room.
        meshes: Meshes of their library.
    """
    views = []
    for placed in ground_truth:
        if placed.label not in CLASSES:
            continue
        pixels = int((maps.ids == placed.id).sum())
        if pixels < MIN_PIXELS:
            continue
        T_cam_obj = T_cam_world @ placed.T_world_obj
        seen = visibility(maps, T_cam_obj, placed.S, meshes[placed.cad_id], pixels)
        if seen["visible"] >= MIN_VISIBLE:
            what = placed.label, placed.cad_id, placed.symmetry
            views.append(ObjectView(*name, placed.id, *what, T_cam_obj, np.asarray(placed.S),
                                    pixels, **seen))  # fmt: skip
    return views


def visibility(maps, T_cam_obj, S, mesh, pixels):
    """How much of a posed CAD is seen: {"visible", "agreeing", "centred"}.

    Args:
        maps: Maps of the frame.
        mesh: vertices (V, 3), unit frame, and triangles (F, 3).
        pixels: its visible pixels.
    """
    height, width = maps.depth.shape
    alone = render(transform(affine(T_cam_obj, S), mesh[0]), mesh[1], maps)
    inside = middle(alone)
    compared = np.isfinite(inside) & (maps.depth > 0)
    near = np.abs(np.where(compared, inside, 0) - maps.depth) < TOLERANCE
    (u, v), z = project(T_cam_obj[:3, 3], maps.K)
    in_image = -0.5 <= u < width - 0.5 and -0.5 <= v < height - 0.5
    return {
        "visible": min(pixels / max(int(np.isfinite(alone).sum()), 1), 1.0),
        "agreeing": float(near[compared].mean()) if compared.any() else 0.0,
        "centred": bool(z > 0 and in_image),
    }


def render(vertices_cam, triangles, maps):
    """z-depth of a mesh alone, inf where it is not, on maps twice as wide and high."""
    import open3d as o3d

    height, width = maps.depth.shape
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        o3d.core.Tensor(np.ascontiguousarray(vertices_cam, np.float32)),
        o3d.core.Tensor(np.ascontiguousarray(triangles, np.uint32)),
    )
    K = maps.K.copy()
    # Open3D's pixels have their centres at .5
    K[:2, 2] += (width // 2 + 0.5, height // 2 + 0.5)
    rays = scene.create_rays_pinhole(K, np.eye(4), 2 * width, 2 * height)
    return scene.cast_rays(rays, nthreads=1)["t_hit"].numpy()  # rays with z = 1: z-depth


def middle(alone):
    """The part of `render`'s image that lies on the maps."""
    height, width = (n // 2 for n in alone.shape)
    return alone[height // 2 : height // 2 + height, width // 2 : width // 2 + width]


def to_record(view):
    """Plain values of an ObjectView; poses keep eight digits."""
    record = asdict(view)
    for name in ("T_cam_obj", "S"):
        record[name] = np.round(record[name], 8).tolist()
    return record | {name: round(record[name], 6) for name in ("visible", "agreeing")}


def from_record(record):
    """The ObjectView of to_record's values."""
    arrays = {name: np.array(record[name]) for name in ("T_cam_obj", "S")}
    return ObjectView(**{**record, **arrays})


def digest(views):
    """SHA-256 of the object views: equal for equal benchmarks."""
    text = json.dumps([to_record(v) for v in views])
    return hashlib.sha256(text.encode()).hexdigest()


def by_frame(views):
    """{(room, frame): positions in `views`}, in order."""
    groups = {}
    for k, view in enumerate(views):
        groups.setdefault((view.room, view.frame), []).append(k)
    return groups
