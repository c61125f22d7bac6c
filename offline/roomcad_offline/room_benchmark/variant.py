"""What is run over the benchmark, and what it gives for one detection."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np

from roomcad_core.config import INPUTS, RGB_STARTS

INITIALISATIONS = ("four", "one", "temporal")
SELECT = ("sigma", "2d", "first")
# Methods that are aligners of the robot with their default settings: the baseline, and the shipped
# network with polished poses. Nothing else of a Variant applies to them.
STACK = {"icp": "icp", "robot": "multi_sparc"}
RGB = ("input", "depth", "normals", "rgb_start")  # what a Variant says about its input


@dataclass(frozen=True)
class Variant:
    """A method and its settings.

    Attributes:
        method: "gt" (the annotations themselves), one of STACK, a training's folder, or a shipped
            align_NAME.safetensors.
        detections: "detected" (imperfect) or "true" masks, boxes, classes and CADs.
        initialisations: "four" azimuths; "one" (azimuth 0); "temporal": one from the last pose of
            the object's track, four where there is none or it does not fit any more.
        updates: pose updates before the scoring pass.
        tracked_updates: the same for an object with a track.
        select: the final pose is that of the largest "sigma", of the largest overlap in the image
            ("2d"; the score in the file is then the detection's), or the "first".
        joint: as many objects in one pass as the network takes; else one.
        min_sigma: a track is followed, and kept, from this sigma on.
        min_iou: box overlap from which a detection belongs to a track.
        input: "rgbd", or "rgb": depth and normals are predicted from colour.
        depth, normals: folders of their networks' trainings; "" = the shipped ones.
        rgb_start: of AlignConfig; where objects start with input "rgb".
    """

    method: str
    detections: str = "detected"
    initialisations: str = "four"
    updates: int = 3
    tracked_updates: int = 1
    select: str = "sigma"
    joint: bool = True
    min_sigma: float = 0.5
    min_iou: float = 0.3
    input: str = "rgbd"
    depth: str = ""
    normals: str = ""
    rgb_start: str = RGB_STARTS[0]

    def __post_init__(self):
        choices = {"initialisations": INITIALISATIONS, "select": SELECT,
                   "detections": ("detected", "true"), "input": INPUTS,
                   "rgb_start": RGB_STARTS}  # fmt: skip
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                got = f"{name}: got {getattr(self, name)!r}"
                raise ValueError(f"{got}, expected one of {', '.join(allowed)}")
        if min(self.updates, self.tracked_updates) < 0:
            raise ValueError(f"updates: expected 0 or more, got {self}")
        if self.input == "rgb" and self.method in ("gt", "icp"):
            raise ValueError(f"input: got 'rgb', expected 'rgbd' with method {self.method!r}")
        if self.input != "rgb" and (self.depth or self.normals):
            raise ValueError("depth, normals: networks are used with input rgb only")

    def values(self):
        """Plain values. Those of RGB are left out with input rgbd: files of before have none."""
        values = asdict(self)
        left_out = () if self.input == "rgb" else RGB
        return {f.name: values[f.name] for f in fields(self) if f.name not in left_out}


@dataclass(frozen=True, eq=False)
class Result:
    """What a method made of one detection: A poses in the camera, with their scores.

    Attributes:
        T: (A, 4, 4) camera from object; S: (A, 3) [m]; sigma: (A,) in 0-1.
        passes: network passes spent on the object.
    """

    T: np.ndarray
    S: np.ndarray
    sigma: np.ndarray
    passes: int = 0

    @property
    def best(self):
        """Number of the pose with the largest sigma."""
        return int(self.sigma.argmax())
