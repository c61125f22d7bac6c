"""What passes between the stages. T_a_b maps points from frame b to frame a; metres; xyzw.

Frames used throughout:
    cam    camera optical frame: x right, y down, z forward
    world  fixed, gravity-aligned, z up (ROS `map`/`odom`)
    grav   gravity-aligned, centred at the camera: z up, x along the camera's horizontal heading
    obj    CAD frame: x right, y up, z to the back (the front is -z), origin at the centre of the
           bounding box, which has unit extents; the scale S is therefore the metric size
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

OTHER = "other"  # the class of things that are no furniture of the library


@dataclass(frozen=True)
class Frame:
    """One RGB-D frame; colour and depth share one pixel grid and one K."""

    stamp: float  # seconds
    color: np.ndarray  # (H, W, 3) uint8 RGB
    depth: np.ndarray  # (H, W) float32 z-depth [m], 0 = missing
    K: np.ndarray  # (3, 3) intrinsics [px]
    T_world_cam: np.ndarray | None = None  # (4, 4) rigid, or None where the pose is unknown
    frame_id: str = "camera_color_optical_frame"
    instances: np.ndarray | None = None  # (H, W) uint16 true object ids, 0 = none (simulated)
    name: str = ""  # SCENE/FRAME of the files it is from; "" = live
    # (H, W, 3) float32 unit, camera frame, towards the camera, 0 = unknown; None = made from depth
    normals: np.ndarray | None = None
    measured: bool = True  # False: depth and normals are what networks make of the colour

    def __post_init__(self):
        if self.depth.ndim != 2 or self.color.shape != (*self.depth.shape, 3):
            raise ValueError(
                f"colour {self.color.shape} and depth {self.depth.shape} must be (H, W, 3), (H, W)"
            )
        if self.normals is not None and self.normals.shape != self.color.shape:
            raise ValueError(f"normals {self.normals.shape}, expected {self.color.shape}")
        if self.K.shape != (3, 3) or not np.isfinite(self.K).all() or self.K[0, 0] <= 0:
            raise ValueError(f"K must be a finite 3x3 matrix with fx > 0, got {self.K.tolist()}")
        if self.T_world_cam is not None and not np.isfinite(self.T_world_cam).all():
            raise ValueError("T_world_cam holds NaN or infinity")


@dataclass(frozen=True)
class Object:
    """One segmented thing of one frame, named once it went through classify."""

    id: int  # its pixels in Segmentation.instances, >= 1
    box: np.ndarray  # (4,) float32 xyxy [px]
    points: np.ndarray  # (N <= 2048, 3) float32 crop, grav frame [m]
    label: str = ""  # class; "" = not classified yet, "other" = no furniture
    score: float = 0.0  # probability of `label`
    # class -> probability; of an object without `label`: by its surroundings alone, if anything
    class_scores: dict[str, float] = field(default_factory=dict)
    cad_ids: tuple[str, ...] = ()  # retrieved CAD ids, best first; empty = aligner chooses
    note: str = ""  # why the crop could not be classified and is `other`


@dataclass(frozen=True)
class Segmentation:
    """All objects of one frame."""

    instances: np.ndarray  # (H, W) uint16, 0 = floor, walls, nothing
    objects: tuple[Object, ...]
    T_grav_cam: np.ndarray  # (4, 4) rigid, pure rotation
    floor_z: float | None  # height of the floor in the grav frame [m]; None = not known


@dataclass(frozen=True)
class Start:
    """Where an aligner begins with an object it knows; objects without one begin from scratch."""

    cad_id: str  # the only CAD model tried
    poses: tuple[tuple[np.ndarray, np.ndarray], ...]  # T_cam_obj (4, 4) and S (3,) of each, >= 1
    updates: int  # pose updates before the scoring pass
    class_score: float = 1.0  # probability of its class; becomes that of the Alignment


@dataclass(frozen=True)
class Alignment:
    """A CAD model standing in the scene: class, CAD id, 9-DoF pose, probability."""

    object_id: int
    label: str
    cad_id: str
    T_cam_obj: np.ndarray  # (4, 4) rigid, camera from object
    S: np.ndarray  # (3,) metric size along the CAD axes [m]
    score: float  # probability that the pose is right
    class_score: float = 0.0  # probability of `label`


@dataclass(frozen=True)
class Dropped:
    """An object that could not be aligned. `reason` is a short stable name, the text says why."""

    object_id: int
    reason: str
    text: str


@dataclass(frozen=True)
class Placed:
    """A CAD model standing in the world: ground truth, or a track of which the place is known."""

    id: int
    label: str
    cad_id: str
    T_world_obj: np.ndarray  # (4, 4) rigid, world from object
    S: np.ndarray  # (3,) metric size along the CAD axes [m]
    symmetry: str = "none"  # a key of pose.SYMMETRIES
    score: float = 1.0
