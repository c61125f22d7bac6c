"""Optional 2D detectors: ONNX files (YOLOX, NanoDet, Mask R-CNN), SAM for masks, ROCA's files."""

from roomcad_core.detect.apply import apply_detections
from roomcad_core.detect.detection import Detection
from roomcad_core.detect.detector import Detector
from roomcad_core.detect.load import load_detector, load_masks, make_detector
from roomcad_core.detect.roca import PerFrameDetections
from roomcad_core.detect.sam import BoxMasks, Masked, SamSpec
from roomcad_core.detect.spec import DetectorSpec

__all__ = [
    "BoxMasks",
    "Detection",
    "Detector",
    "DetectorSpec",
    "Masked",
    "PerFrameDetections",
    "SamSpec",
    "apply_detections",
    "load_detector",
    "load_masks",
    "make_detector",
]
