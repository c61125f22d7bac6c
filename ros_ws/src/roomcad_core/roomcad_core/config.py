"""Settings of every stage. This file is the only place where a default is written.

`range_of(low, high)` and `choices` in a field's metadata are checked here and become ROS
parameter ranges; the text beside `help` becomes the ROS parameter description.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ENGINES = ("auto", "tensorrt", "openvino", "onnxruntime")
PRECISIONS = ("f32", "bf16", "f16")
NETWORK_PRECISIONS = ("f32", "int8")  # of what sees a frame or a crop once
ALIGNERS = ("icp", "multi_sparc")
INPUTS = ("rgbd", "rgb")  # of frames, and what networks that align were trained for
RGB_STARTS = ("3m", "depth")


def setting(default, help, low=None, high=None, choices=None):
    """A config field with its description and its valid range or choices."""
    limits = {"help": help, "low": low, "high": high, "choices": choices}
    return field(default=default, metadata=limits)


class Checked:
    """Base of all configs: every value is of its default's type and within its limits."""

    def __post_init__(self):
        for f in dataclasses.fields(self):
            if "help" in f.metadata:
                check_value(f"{type(self).__name__}.{f.name}", getattr(self, f.name), f)


def check_value(name, value, f):
    """Raise ValueError, with got and expected, if `value` does not fit config field `f`."""
    kind = type(f.default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"{name}: got {value!r}, expected a {kind.__name__}")
    low, high, choices = (f.metadata[k] for k in ("low", "high", "choices"))
    if choices is not None and value not in choices:
        raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(choices)}")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise ValueError(f"{name}: got {value!r}, expected {low} to {high}")


@dataclass(frozen=True)
class SegmentConfig(Checked):
    """RGB-D image to objects: a network finds them, what is too small or too flat goes."""

    min_depth: float = setting(0.25, "nearest depth used [m]", 0.0, 5.0)
    max_depth: float = setting(8.0, "farthest depth used [m]", 0.5, 20.0)
    work_width: int = setting(320, "about the width of the working grid [px]", 80, 1280)
    plane_distance: float = setting(0.02, "floor thickness beside noise [m]", 0.005, 0.3)
    min_camera_height: float = setting(0.25, "camera above the floor at least [m]", 0.05, 2.0)
    min_points: int = setting(120, "objects with fewer working pixels are dropped", 16, 10000)
    min_height: float = setting(0.12, "objects that rise less above the floor go [m]", 0.0, 1.0)
    min_size: float = setting(0.15, "objects whose longest side is shorter go [m]", 0.0, 2.0)
    max_points: int = setting(2048, "points of a crop at most", 64, 20000)
    detector: str = setting(
        "",
        "finds instances in colour: a name of `roomcad models list`, the YAML of an ONNX file, or"
        " a per_frame_preds.json; empty = none",
    )
    detector_masks: str = setting(
        "",
        "SAM for a detector's boxes: a name of `roomcad models list`, or a YAML; empty = by depth",
    )
    detector_names: str = setting(
        "detector", "who names what the detector finds", choices=("detector", "classifier")
    )
    detector_only: bool = setting(False, "nothing but what the detector finds is an object")
    model: str = setting("instances", "network that finds the objects, by its name in the manifest")
    engine: str = setting("auto", "inference engine of that network", choices=ENGINES)
    precision: str = setting("int8", "lowest precision of that network", choices=NETWORK_PRECISIONS)

    def __post_init__(self):
        super().__post_init__()
        for name, off in (("detector_masks", ""), ("detector_only", False)):
            value = getattr(self, name)
            if value != off and not self.detector:
                raise ValueError(
                    f"SegmentConfig.{name}: got {value!r}, expected {off!r} without a detector"
                )


@dataclass(frozen=True)
class ClassifyConfig(Checked):
    """Objects to classes."""

    model: str = setting(
        "deployed", "classifier: a network by its name in the manifest, or box_size"
    )
    engine: str = setting("auto", "inference engine", choices=ENGINES)
    precision: str = setting("int8", "lowest precision of a network", choices=NETWORK_PRECISIONS)
    votes: int = setting(1, "quarter turns about up that a network averages", 1, 4)
    min_score: float = setting(0.0, "below this probability an object is `other`", 0.0, 1.0)
    retrieved: int = setting(5, "CAD models retrieved of each likely class; 0 = none", 0, 50)


@dataclass(frozen=True)
class AlignConfig(Checked):
    """Objects to CAD poses."""

    aligner: str = setting("multi_sparc", "aligner", choices=ALIGNERS)
    model: str = setting("live", "network of aligner multi_sparc, by its name in the manifest")
    updates: int = setting(3, "pose updates of multi_sparc before it scores", 0, 20)
    engine: str = setting("auto", "inference engine of multi_sparc", choices=ENGINES)
    precision: str = setting("bf16", "lowest precision of multi_sparc", choices=PRECISIONS)
    n_classes: int = setting(3, "most probable classes tried for each object", 1, 11)
    n_candidates: int = setting(3, "CAD models tried for each class", 1, 20)
    n_tried: int = setting(2, "of all those CAD models, how many multi_sparc tries", 1, 80)
    n_yaw: int = setting(4, "rotation initialisations about the up axis", 1, 16)
    n_polished: int = setting(4, "multi_sparc: best results moved by ICP; 0 = none", 0, 16)
    n_refined: int = setting(3, "initial poses refined by ICP for each class", 1, 80)
    rgb_start: str = setting(
        "3m",
        "input rgb: objects start 3 m away, as in the paper, or behind the predicted depth",
        choices=RGB_STARTS,
    )
    icp_distance: float = setting(0.15, "largest point pairing distance of ICP [m]", 0.01, 1.0)
    icp_iterations: int = setting(20, "ICP iterations for each initialisation", 1, 200)
    min_score: float = setting(0.0, "alignments below this score are not returned", 0.0, 1.0)


@dataclass(frozen=True)
class TrackConfig(Checked):
    """Objects followed from frame to frame: where the aligner starts, what is believed."""

    enabled: bool = setting(True, "follow objects; off = every frame is aligned from scratch")
    sigma_high: float = setting(0.5, "score from which an object counts as found", 0.0, 1.0)
    sigma_low: float = setting(0.3, "score below which a found object is lost", 0.0, 1.0)
    confirm: int = setting(
        5,
        "sightings that find a new object until it is shown; twice as many where it touches"
        " a known one of its kind",
        1,
        1000,
    )
    look_again: int = setting(
        10, "sightings after which a found object is searched for once more; 0 = never", 0, 1000
    )
    rest: int = setting(
        2, "sightings that a settled object goes without alignment after each aligned one", 0, 1000
    )
    drop: float = setting(0.3, "fall below the usual score that asks for more updates", 0.0, 1.0)
    updates_search: int = setting(
        1, "pose updates from each azimuth for a new or lost object; later frames go on", 0, 20
    )
    updates_stable: int = setting(1, "pose updates of a stable object", 0, 20)
    updates_unsure: int = setting(3, "pose updates after a fall of the score or a gap", 0, 20)
    retry: int = setting(
        24, "frames until the next search for a lost object, then doubled", 1, 1000
    )
    min_affinity: float = setting(0.3, "overlap from which an object is a track's", 0.0, 1.0)
    margin: float = setting(
        0.1, "a track's box is taken larger by this on every side [m]", 0.0, 1.0
    )
    overlap: float = setting(0.25, "3D IoU from which two tracks are the same thing", 0.0, 1.0)
    part: float = setting(
        0.5,
        "share of a piece on the CAD of a found track, or where that was seen, that makes it part"
        " of that",
        0.0,
        1.0,
    )
    memory: float = setting(5.0, "sightings a pose is averaged over at most; 0 = none", 0.0, 1000.0)
    moved: float = setting(0.15, "a pose farther off than this is no noise [m]", 0.0, 5.0)
    turned: float = setting(0.3, "nor is one turned by more than this [rad]", 0.0, 3.2)
    patience: int = setting(5, "frames an object may be missing where it should be seen", 1, 1000)
    ghost_frames: int = setting(5, "frames seen through until a track ends", 1, 1000)
    ghost_share: float = setting(0.6, "share of a CAD's surface that is seen through", 0.05, 1.0)
    grace: float = setting(
        1.0, "unseen tracks without confirmation or world pose end [s]", 0.0, 60.0
    )
    forget: float = setting(600.0, "all other unseen tracks end [s]", 0.0, 1e6)
    clock_jump: float = setting(0.5, "a clock going back by more than this resets [s]", 0.0, 60.0)

    def __post_init__(self):
        super().__post_init__()
        if self.sigma_low > self.sigma_high:
            raise ValueError(
                f"TrackConfig.sigma_low: got {self.sigma_low}, expected at most sigma_high"
                f" = {self.sigma_high}"
            )


@dataclass(frozen=True)
class RgbConfig(Checked):
    """Depth and normals from colour, for input rgb."""

    depth: str = setting("depth", "network of depth, by its name in the manifest")
    normals: str = setting("normals", "network of surface normals, by its name in the manifest")
    engine: str = setting("auto", "inference engine of both", choices=ENGINES)
    max_depth_sigma: float = setting(
        0.5, "depth with a larger standard deviation, as a share of it, is none", 0.01, 10.0
    )
    max_normal_angle: float = setting(
        1.0, "normals expected to be wrong by more are none [rad]", 0.01, 3.2
    )


@dataclass(frozen=True)
class PipelineConfig(Checked):
    """Everything a run needs; written beside its results."""

    library: str = ""  # folder of a built CAD library; empty = the built-in one
    input: str = setting(
        "rgbd", "rgbd: colour and depth of a sensor; rgb: colour alone", choices=INPUTS
    )
    segment: SegmentConfig = field(default_factory=SegmentConfig)
    classify: ClassifyConfig = field(default_factory=ClassifyConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    tracks: TrackConfig = field(default_factory=TrackConfig)
    rgb: RgbConfig = field(default_factory=RgbConfig)

    def __post_init__(self):
        super().__post_init__()
        if self.input == "rgb":
            check_rgb_segment(self.segment)
            check_rgb_align(self.align)


def check_rgb_segment(config):
    """Raise ValueError where a SegmentConfig cannot find objects in colour alone."""
    if not config.detector:
        raise ValueError(
            "segment.detector: got '', expected a detector with input rgb: without a depth sensor"
            " nothing else finds objects; e.g. `roomcad models fetch yolox_s mobile_sam`, then"
            " segment.detector: yolox_s and segment.detector_masks: mobile_sam"
        )


def check_rgb_align(config):
    """Raise ValueError where an AlignConfig needs the depth of a sensor."""
    if config.aligner == "icp":
        raise ValueError(
            "align.aligner: got 'icp', expected multi_sparc with input rgb: ICP needs the depth of"
            " a sensor"
        )


def from_dict(cls, values):
    """Build config `cls` from nested plain values; an unknown key is an error."""
    if not isinstance(values, dict):
        raise ValueError(f"{cls.__name__}: got {values!r}, expected a mapping")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ValueError(f"{cls.__name__} has no {unknown}; it has {sorted(fields)}")
    filled = {}
    for name, value in values.items():
        nested = fields[name].default_factory
        filled[name] = from_dict(nested, value) if dataclasses.is_dataclass(nested) else value
    return cls(**filled)


def load(path, cls=PipelineConfig):
    """Read a YAML file into config `cls`; an empty file gives the defaults."""
    try:
        return from_dict(cls, yaml.safe_load(Path(path).read_text()) or {})
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from None


def save(config, path):
    """Write a config as YAML that `load` reads back."""
    Path(path).write_text(yaml.safe_dump(dataclasses.asdict(config), sort_keys=False))
