"""The YAML that describes a detector's ONNX file: input, output layout, class names."""

from __future__ import annotations

from dataclasses import dataclass, field

from roomcad_core.classes import CLASSES
from roomcad_core.config import ENGINES, Checked, setting
from roomcad_core.detect.coco import FURNITURE, VOCABULARIES
from roomcad_core.types import OTHER

# Output tensors by their role; `output` is (1, N, columns), maskrcnn may lack the masks.
ROLES = {
    "yolox": ("output",),
    "nanodet": ("output",),
    "maskrcnn": ("boxes", "labels", "scores", "masks"),
}
# How the public files of a layout number COCO's classes.
USUAL = {"yolox": "coco80", "nanodet": "coco80", "maskrcnn": "coco91"}


@dataclass(frozen=True)
class DetectorSpec(Checked):
    """Content of the YAML file."""

    onnx: str = setting("", "ONNX file, relative to the YAML")
    sha256: str = setting("", "its checksum; empty = not checked")
    layout: str = setting("yolox", "output layout", choices=tuple(ROLES))
    width: int = setting(640, "input width [px]", 8, 4096)
    height: int = setting(640, "input height [px]", 8, 4096)
    color: str = setting("bgr", "colour order", choices=("rgb", "bgr"))
    scale: float = setting(1.0, "factor on 0-255 values, before mean and std", 0.0, 1.0)
    batch: bool = setting(True, "the input has a leading batch axis")
    centred: bool = setting(False, "the image lies in the middle of its border, not top left")
    fill: int = setting(114, "value of the border", 0, 255)
    decoded: bool = setting(False, "yolox: boxes are in pixels, not in grid cells")
    reg_max: int = setting(7, "nanodet: the longest distance to a side [strides]", 1, 64)
    prior: float = setting(0.5, "nanodet: its place in the cell; NanoDet-Plus: 0", 0.0, 1.0)
    mask_frame: str = setting(
        "auto", "maskrcnn: masks cover; auto = by their size", choices=("auto", "box", "image")
    )
    score: float = setting(0.4, "detections below this score go", 0.0, 1.0)
    overlap: float = setting(0.5, "box IoU above which the weaker of two goes", 0.0, 1.0)
    engine: str = setting("auto", "inference engine", choices=ENGINES)
    threads: int = setting(0, "threads of the engine, 0 = all cores", 0, 256)
    vocabulary: str = setting(
        "auto", "class names where `classes` is empty", choices=("auto", *VOCABULARIES)
    )
    class_map: str = setting("", "YAML or JSON with what `names` holds, relative to the YAML")
    mean: list = field(default_factory=lambda: [0.0, 0.0, 0.0])  # of scaled values, channel order
    std: list = field(default_factory=lambda: [1.0, 1.0, 1.0])
    strides: list = field(default_factory=lambda: [8, 16, 32])  # of the grids, [px]
    classes: list = field(default_factory=list)  # the model's class names in its order; [] = COCO
    names: dict = field(default_factory=dict)  # model class name -> our class, or `other`
    outputs: dict = field(default_factory=dict)  # role -> tensor name, where it differs

    def __post_init__(self):
        super().__post_init__()
        _check_lists(self)
        check_names(self.names, self.class_names)
        unknown = sorted(set(self.outputs) - set(ROLES[self.layout]))
        if unknown:
            roles = ", ".join(ROLES[self.layout])
            raise ValueError(f"outputs: got {unknown}, expected some of {roles}")

    @property
    def class_names(self):
        """The model's class names in its order."""
        usual = USUAL[self.layout] if self.vocabulary == "auto" else self.vocabulary
        return tuple(self.classes) or VOCABULARIES[usual]

    @property
    def columns(self):
        """Length of a row of yolox and nanodet."""
        box = 5 if self.layout == "yolox" else 4 * (self.reg_max + 1)
        return len(self.class_names) + box

    @property
    def labels(self):
        """Our class of each class of the model; "" = of no interest."""
        same = {name: name for name in self.class_names if name in CLASSES}
        usual = {} if self.classes else FURNITURE
        known = {**same, **(self.names or usual)}
        return tuple(known.get(name, "") for name in self.class_names)


def check_names(names, class_names, source="names"):
    """Raise ValueError, naming all of them, where a class map has unknown classes."""
    if not isinstance(names, dict):
        raise ValueError(f"{source}: got {names!r}, expected a dict of class: class")
    foreign = sorted(str(name) for name in names if name not in class_names)
    if foreign:
        raise ValueError(f"{source}: the model has no class {', '.join(foreign)}")
    allowed = (*CLASSES, OTHER)
    wrong = [f"{name}: {label!r}" for name, label in names.items() if label not in allowed]
    if wrong:
        expected = ", ".join(allowed)
        raise ValueError(f"{source}: got {', '.join(wrong)}, expected one of {expected}")


def _check_lists(spec):
    for name in ("mean", "std", "strides", "classes", "outputs"):
        kind = dict if name == "outputs" else list
        value = getattr(spec, name)
        if not isinstance(value, kind):
            raise ValueError(f"{name}: got {value!r}, expected a {kind.__name__}")
    for name, length in (("mean", 3), ("std", 3)):
        values = getattr(spec, name)
        if len(values) != length or not all(isinstance(v, (int, float)) for v in values):
            raise ValueError(f"{name}: got {values!r}, expected three numbers")
    if not all(spec.std):
        raise ValueError(f"std: got {spec.std!r}, expected no zero")
    if not spec.strides or not all(isinstance(s, int) and s > 0 for s in spec.strides):
        raise ValueError(f"strides: got {spec.strides!r}, expected positive whole numbers")
    if not all(isinstance(c, str) for c in spec.classes):
        raise ValueError(f"classes: got {spec.classes!r}, expected the model's class names")
