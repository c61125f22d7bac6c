"""What the published per-scene evaluators do differently, as switches, and their presets."""

from dataclasses import dataclass

from roomcad_offline.evaluation.categories import EIGHT, NINE

CHOICES = {
    "order": ("file", "score"),
    "cap": ("per_cad", "per_category"),
    "cap_from": ("appearances", "annotations"),
    "scale_error": ("abs_of_mean", "mean_of_abs"),
    "symmetry_rule": ("pred", "equal_only"),
    "symmetry_source": ("scene", "file"),
    "missing_scenes": ("count", "skip"),
    "retrieval": ("any", "same_cad", "voxel_iou"),
    "precision": ("float64", "float32"),
}


@dataclass(frozen=True)
class SceneRules:
    """Switches of the per-scene evaluation. Thresholds are inclusive; the defaults are SPARC's."""

    name: str = "custom"
    # Classes that are evaluated; `pool_other` makes all further categories one class "other".
    classes: tuple[str, ...] = NINE
    pool_other: bool = False
    # Order in which predictions meet NMS, constraint and truth; equal scores: as in the file.
    order: str = "score"
    # Per-frame files only: detections must score higher. None = all are taken.
    min_score: float | None = None
    # 3D NMS: drops what lies near a better prediction of its category.
    nms: bool = True
    nms_translation: float = 0.4  # [m]
    nms_rotation_deg: float = 60.0
    nms_scale: float = 0.6  # of |mean(s_kept / s) - 1|
    # Count constraint: at most as many predictions as annotated of that CAD or category.
    cap: str = "per_category"
    cap_from: str = "appearances"  # cad_appearances.json where given, or always the annotations
    # When a prediction is right.
    translation: float = 0.2  # [m]
    rotation_deg: float = 20.0
    scale: float = 0.2
    scale_error: str = "mean_of_abs"  # or "abs_of_mean", where axis errors cancel
    center_offset: bool = False  # ground truth M·T(-center) in place of M
    # Turns that count as nothing: those of the predicted CAD, or only where truth has the same.
    symmetry_rule: str = "equal_only"
    # A CAD's symmetry: as annotated in that scene (truth: its own), or its last entry in the file.
    symmetry_source: str = "file"
    retrieval: str = "any"
    voxel_iou: float = 0.5  # retrieval "voxel_iou": least overlap of the two CADs' 32^3 grids
    # Scenes of the split without predictions: into the denominators or not.
    missing_scenes: str = "skip"
    class_decimals: int | None = None  # class accuracies [%] rounded before they are averaged
    precision: str = "float64"  # of the compared t, s and score

    def __post_init__(self):
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: got {getattr(self, name)!r}, expected one of {choices}")


PRESETS = {
    "scan2cad": SceneRules(
        name="scan2cad",
        classes=EIGHT,
        pool_other=True,
        order="file",
        nms=False,
        cap="per_cad",
        scale_error="abs_of_mean",
        center_offset=True,
        symmetry_rule="pred",
    ),
    "roca": SceneRules(
        name="roca",
        min_score=0.5,
        cap_from="annotations",
        scale_error="abs_of_mean",
        symmetry_source="scene",
        missing_scenes="count",
        class_decimals=1,
        precision="float32",
    ),
    "sparc": SceneRules(name="sparc"),
}


def preset(name):
    """SceneRules of a preset; ValueError with the known names."""
    if name not in PRESETS:
        raise ValueError(f"preset: got {name!r}, expected one of {', '.join(PRESETS)}")
    return PRESETS[name]
