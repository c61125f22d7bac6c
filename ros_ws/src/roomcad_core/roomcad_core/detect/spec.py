"""The YAML that describes a detector's ONNX file: input, output layout, class names."""

from __future__ import annotations

from dataclasses import dataclass, field

from roomcad_core.classes import CLASSES
from roomcad_core.config import Checked, setting
from roomcad_core.types import OTHER

# Output tensors by their role; yolox has one (1, N, 5 + classes), maskrcnn may lack the masks.
ROLES = {"yolox": ("output",), "maskrcnn": ("boxes", "labels", "scores", "masks")}


@dataclass(frozen=True)
class DetectorSpec(Checked):
    """Content of the YAML file."""

    onnx: str = setting("", "ONNX file, relative to the YAML")
    sha256: str = setting("", "its checksum; empty = not checked")
    layout: str = setting("yolox", "output layout", choices=("yolox", "maskrcnn"))
    width: int = setting(640, "input width [px]", 8, 4096)
    height: int = setting(640, "input height [px]", 8, 4096)
    color: str = setting("bgr", "colour order", choices=("rgb", "bgr"))
    scale: float = setting(1.0, "factor on 0-255 values, before mean and std", 0.0, 1.0)
    batch: bool = setting(True, "the input has a leading batch axis")
    centred: bool = setting(False, "the image lies in the middle of its border, not top left")
    fill: int = setting(114, "value of the border", 0, 255)
    decoded: bool = setting(False, "yolox: boxes are in pixels, not in grid cells")
    mask_frame: str = setting("box", "maskrcnn: masks cover", choices=("box", "image"))
    score: float = setting(0.4, "detections below this score go", 0.0, 1.0)
    overlap: float = setting(0.5, "box IoU above which the weaker of two goes", 0.0, 1.0)
    engine: str = setting("auto", "inference engine")
    threads: int = setting(0, "threads of the engine, 0 = all cores", 0, 256)
    mean: list = field(default_factory=lambda: [0.0, 0.0, 0.0])  # of scaled values, channel order
    std: list = field(default_factory=lambda: [1.0, 1.0, 1.0])
    strides: list = field(default_factory=lambda: [8, 16, 32])  # yolox grids
    classes: list = field(default_factory=list)  # the model's class names in its order
    names: dict = field(default_factory=dict)  # model class name -> our class, or `other`
    outputs: dict = field(default_factory=dict)  # role -> tensor name, where it differs

    def __post_init__(self):
        super().__post_init__()
        _check_lists(self)
        _check_names(self)

    def label(self, index):
        """Our class of the model's class number `index`; "" = of no interest."""
        if not 0 <= index < len(self.classes):
            raise ValueError(f"detector: class {index}, but `classes` has {len(self.classes)}")
        name = self.classes[index]
        return self.names.get(name, name if name in CLASSES else "")


def _check_lists(spec):
    for name in ("mean", "std", "strides", "classes", "names", "outputs"):
        kind = dict if name in ("names", "outputs") else list
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


def _check_names(spec):
    if not spec.classes or not all(isinstance(c, str) for c in spec.classes):
        raise ValueError("classes: expected the list of the model's class names")
    for name, label in spec.names.items():
        if name not in spec.classes:
            raise ValueError(f"names: {name!r} is not in `classes`")
        if label not in (*CLASSES, OTHER):
            raise ValueError(f"names: {name}: got {label!r}, expected one of {(*CLASSES, OTHER)}")
    roles = ROLES[spec.layout]
    unknown = sorted(set(spec.outputs) - set(roles))
    if unknown:
        raise ValueError(f"outputs: got {unknown}, expected some of {', '.join(roles)}")
