"""Parsed annotations and predictions as structs of arrays; every reader fills these.

Conventions: metres; quaternions xyzw (the files' wxyz is turned at the reader and writer);
a pose (t, q, s) stands for M = T(t)·R(q)·diag(s), which maps CAD file coordinates; categories are
8-digit synset strings; frames of a scene are named as their files ("000100"). Boxes are xyxy
pixels. `cam` is the camera's optical frame, `scan` the frame of the ScanNet mesh, `world`
Scan2CAD's common y-up frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

SYMMETRY_TURNS = {
    "__SYM_NONE": 1,
    "__SYM_ROTATE_UP_2": 2,
    "__SYM_ROTATE_UP_4": 4,
    "__SYM_ROTATE_UP_INF": 36,
}


@dataclass(frozen=True)
class Problem:
    """One piece of bad input, and what became of it."""

    file: str
    where: str  # "line 12", "[3].t", "row 4" ...
    what: str  # what is wrong, with got and expected
    verdict: str  # "wrong": stays, can never be right; "rejected": left out; "noted": kept as it is
    kind: str = "other"  # short machine name: "nan pose", "unknown scene", "duplicate row" ...

    def __str__(self):
        return f"{self.file}: {self.where}: {self.what} ({self.verdict})"


@dataclass(frozen=True, eq=False)
class Predictions:
    """N predicted CAD poses, in file order.

    `space` says where M leads: "scan" (scene-level, raw_results.csv) or "cam" (per-frame files).
    Row i stood at `where[i]` of `file`.
    """

    scene: np.ndarray  # (N,) str "sceneXXXX_YY"
    frame: np.ndarray  # (N,) str "000100"; "" = the whole scene
    category: np.ndarray  # (N,) str synset
    cad_id: np.ndarray  # (N,) str; "" = none was retrieved
    t: np.ndarray  # (N, 3) float64 [m]
    q: np.ndarray  # (N, 4) float64 xyzw, as read: not normalised
    s: np.ndarray  # (N, 3) float64
    score: np.ndarray  # (N,) float64; files without scores: 1
    space: str  # "scan" or "cam"
    bbox: np.ndarray | None = None  # (N, 4) float64 xyxy [px]; None or NaN = not given
    segmentation: tuple | None = None  # N run-length masks {"size": [H, W], "counts": ...} or None
    detection: np.ndarray | None = None  # (N,) str: names the detection in its frame
    extra: tuple | None = None  # N dicts of further values of the file, kept for writing
    scenes: tuple[str, ...] = ()  # scenes the file speaks of, also those without a row
    frames: tuple[tuple[str, str], ...] = ()  # (scene, frame) of every listed image, ditto
    file: str = ""
    where: np.ndarray | None = None  # (N,) str: "line 12"
    bad: np.ndarray | None = None  # (N,) bool: rows that can never be right; None = unchecked
    problems: tuple[Problem, ...] = ()

    def __post_init__(self):
        check_columns(self, len(self.scene))
        if self.space not in ("scan", "cam"):
            raise ValueError(f"space: got {self.space!r}, expected 'scan' or 'cam'")

    def __len__(self):
        return len(self.scene)

    def select(self, rows):
        """The rows of an index or mask array, in that order; problems stay."""
        return select(self, np.arange(len(self))[rows])


@dataclass(frozen=True, eq=False)
class Annotations:
    """Scan2CAD's full_annotations.json: N CAD models in S scans, both in file order.

    Poses are as in the file, CAD -> world; `scan_poses` (module poses) brings them to the scan.
    """

    scenes: tuple[str, ...]  # S names
    scan_t: np.ndarray  # (S, 3) scan -> world
    scan_q: np.ndarray  # (S, 4) xyzw
    scan_s: np.ndarray  # (S, 3)
    scene_index: np.ndarray  # (N,) int into `scenes`
    category: np.ndarray  # (N,) str synset
    cad_id: np.ndarray  # (N,) str
    symmetry: np.ndarray  # (N,) str, a key of SYMMETRY_TURNS
    t: np.ndarray  # (N, 3) CAD -> world
    q: np.ndarray  # (N, 4) xyzw
    s: np.ndarray  # (N, 3)
    center: np.ndarray  # (N, 3) centre of the CAD's bounding box, CAD coordinates
    bbox: np.ndarray  # (N, 3) HALF extents of that box, CAD coordinates
    keypoints: tuple | None = None  # N pairs (scan (K, 3), cad (K, 3)) or None
    file: str = ""
    problems: tuple[Problem, ...] = ()

    def __post_init__(self):
        check_columns(self, len(self.scene_index))

    def __len__(self):
        return len(self.scene_index)

    @property
    def scene(self):
        """(N,) str: the scene of every model."""
        return np.asarray(self.scenes, str)[self.scene_index]


@dataclass(frozen=True, eq=False)
class Instances:
    """ROCA's scan2cad_instances_*.json: N annotated objects in images, poses CAD -> cam."""

    scene: np.ndarray  # (N,) str
    frame: np.ndarray  # (N,) str "000100"
    image_id: np.ndarray  # (N,) int
    instance_id: np.ndarray  # (N,) int
    category: np.ndarray  # (N,) str synset
    cad_id: np.ndarray  # (N,) str
    symmetry: np.ndarray  # (N,) str, a key of SYMMETRY_TURNS
    alignment_id: np.ndarray  # (N,) int
    model_index: np.ndarray  # (N,) int: idx of the model in its scan's annotation
    t: np.ndarray  # (N, 3) cam
    q: np.ndarray  # (N, 4) xyzw
    s: np.ndarray  # (N, 3)
    bbox: np.ndarray  # (N, 4) xyxy [px] (the file has xywh)
    area: np.ndarray  # (N,) [px]
    K: np.ndarray  # (N, 3, 3) intrinsics of the resized image
    images: tuple[dict, ...] = ()  # the file's image records, also those without objects
    segmentation: tuple | None = None  # N run-length masks, polygons or None
    category_ids: dict = field(default_factory=dict)  # synset -> the file's integer id
    file: str = ""
    problems: tuple[Problem, ...] = ()

    def __post_init__(self):
        check_columns(self, len(self.scene))

    def __len__(self):
        return len(self.scene)

    def select(self, rows):
        """The rows of an index or mask array, in that order."""
        return select(self, np.arange(len(self))[rows])


# Columns that belong to the whole file, not to its rows.
PER_FILE = ("scenes", "frames", "scan_t", "scan_q", "scan_s", "images", "problems")


def select(record, rows):
    """A copy of a record with the rows of (M,) int; what belongs to the whole file stays."""
    chosen = {}
    for f in fields(record):
        value = getattr(record, f.name)
        if f.name in PER_FILE:
            continue
        if isinstance(value, np.ndarray):
            chosen[f.name] = value[rows]
        elif isinstance(value, tuple):
            chosen[f.name] = tuple(value[i] for i in rows)
    return replace(record, **chosen)


def check_columns(record, n):
    """ValueError naming the column of a record that does not have n rows."""
    widths = {"t": 3, "q": 4, "s": 3, "bbox": 4, "center": 3}
    for f in fields(record):
        value = getattr(record, f.name)
        if f.name in PER_FILE or not isinstance(value, (np.ndarray, tuple)):
            continue
        if len(value) != n:
            raise ValueError(f"{type(record).__name__}.{f.name}: got {len(value)} rows, want {n}")
        width = 3 if type(record) is Annotations and f.name == "bbox" else widths.get(f.name)
        if width and value.shape != (n, width):
            raise ValueError(f"{type(record).__name__}.{f.name}: got {value.shape}, want {width}")
