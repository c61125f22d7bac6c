"""Ground truth per frame: one row an annotated object and frame that shows it.

Objects that do not count (centre outside, hidden) stay in the list with the reason, so that a
detection of one of them can be told from a false one. 2D boxes are kept as shares of the image
size, because detections live in resized images. Rendered from annotations and frames in
image_truth_frames; taken from ROCA's annotation per image here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from roomcad_offline.evaluation.records import Problem
from roomcad_offline.evaluation.roca_files import scene_and_frame

COUNTS, OUTSIDE, HIDDEN = "", "centre outside", "hidden"  # FrameTruth.reason


@dataclass(frozen=True, eq=False)
class Camera:
    """The pixel grid that the objects of a scene were judged on."""

    K: np.ndarray  # (3, 3) intrinsics [px]
    size: tuple[int, int]  # width, height [px]


@dataclass(frozen=True, eq=False)
class FrameTruth:
    """N objects in frames, sorted by scene and frame; poses CAD -> cam."""

    scene: np.ndarray  # (N,) str
    frame: np.ndarray  # (N,) str, see frame_name
    category: np.ndarray  # (N,) str synset
    cad_id: np.ndarray  # (N,) str
    symmetry: np.ndarray  # (N,) str, a key of records.SYMMETRY_TURNS
    model: np.ndarray  # (N,) int: the same number for one object in all frames of its scene
    t: np.ndarray  # (N, 3) [m]
    q: np.ndarray  # (N, 4) xyzw
    s: np.ndarray  # (N, 3)
    box: np.ndarray  # (N, 4) xyxy as shares of image width and height
    share: np.ndarray  # (N,) visible share in 0-1; NaN = not judged
    reason: np.ndarray  # (N,) str: "" = the object counts, else why not
    frames: tuple[tuple[str, str], ...] = ()  # all evaluated (scene, frame), also empty ones
    cameras: dict[str, Camera] = field(default_factory=dict)  # scene -> Camera
    problems: tuple[Problem, ...] = ()

    def __len__(self):
        return len(self.scene)

    @property
    def counts(self):
        """(N,) bool: the objects that have to be found."""
        return self.reason == COUNTS

    def select(self, rows):
        """The rows of an index or mask array; frames and problems stay."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})


COLUMNS = tuple(f.name for f in fields(FrameTruth))[:12]
KINDS = dict.fromkeys(("scene", "frame", "category", "cad_id", "symmetry", "reason"), str)
KINDS["model"] = int
WIDTHS = {"t": 3, "q": 4, "s": 3, "box": 4}


def frame_name(name):
    """The name a frame goes by here: numbers have six digits, so that 100 is 000100."""
    return name.zfill(6) if name.isdecimal() else name


def from_rows(rows, frames, cameras, problems=()):
    """FrameTruth of row tuples in the order of COLUMNS."""
    columns = {}
    for number, name in enumerate(COLUMNS):
        values = np.array([row[number] for row in rows], KINDS.get(name, float))
        columns[name] = values.reshape(-1, WIDTHS[name]) if name in WIDTHS else values
    return FrameTruth(**columns, frames=frames, cameras=cameras, problems=problems)


def join(parts):
    """One FrameTruth of those of several scenes."""
    if not parts:
        raise ValueError("no scene with frames to evaluate")
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}
    return FrameTruth(
        **columns,
        frames=tuple(f for p in parts for f in p.frames),
        cameras={scene: camera for p in parts for scene, camera in p.cameras.items()},
        problems=tuple(problem for p in parts for problem in p.problems),
    )


def truth_of_instances(instances):
    """FrameTruth of records.Instances (ROCA's annotation per image), where all objects count.

    That file holds only objects whose origin is in the image and whose mask is not empty; no
    depth is looked at, so the visible share is not judged (NaN).
    """
    n = len(instances)
    sizes = _image_sizes(instances)
    size = np.array([sizes[i] for i in instances.image_id.tolist()], float).reshape(-1, 2)
    cameras = {}
    for scene, K, wh in zip(instances.scene.tolist(), instances.K, size.astype(int), strict=True):
        cameras.setdefault(scene, Camera(K, tuple(wh.tolist())))
    names = ("scene", "category", "cad_id", "symmetry", "t", "q", "s")
    return FrameTruth(
        **{name: getattr(instances, name) for name in names},
        frame=np.array([frame_name(frame) for frame in instances.frame.tolist()], str),
        model=np.where(instances.model_index < 0, -1 - np.arange(n), instances.model_index),
        box=instances.bbox / np.tile(size, 2),
        share=np.full(n, np.nan),
        reason=np.full(n, COUNTS, "U16"),
        frames=_frames_of(instances),
        cameras=cameras,
        problems=instances.problems,
    )


def restricted(truth, categories=None, images=None):
    """FrameTruth with only the given synsets and (scene, frame) pairs; None = all of them.

    Raises ValueError where a frame that was asked for is not in the truth.
    """
    keys = zip(truth.scene.tolist(), truth.frame.tolist(), strict=True)
    rows = np.ones(len(truth), bool)
    if categories is not None:
        rows &= np.isin(truth.category, list(categories))
    if images is None:
        return truth.select(rows)
    missing = sorted(set(images) - set(truth.frames))
    if missing:
        raise ValueError(f"{len(missing)} listed frames have no annotation: {missing[:5]}")
    wanted = set(images)
    rows &= np.array([key in wanted for key in keys], bool)
    return replace(truth.select(rows), frames=tuple(images))


def _image_sizes(instances):
    """{image id: (width, height)}; ValueError where an image record lacks one."""
    try:
        return {i["id"]: (int(i["width"]), int(i["height"])) for i in instances.images}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{instances.file}: images: width or height: {error!r}") from None


def _frames_of(instances):
    """All (scene, frame) of the file, also of images without objects."""
    names = [image["file_name"] for image in instances.images]
    pairs = (scene_and_frame(name, instances.file) for name in names)
    return tuple(dict.fromkeys((scene, frame_name(frame)) for scene, frame in pairs))
