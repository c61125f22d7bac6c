"""Optional 2D instance detector: an ONNX file (YOLOX or Mask R-CNN outputs) and a small YAML."""

from roomcad_core.detect.apply import apply_detections
from roomcad_core.detect.detector import Detection, Detector, load_detector
from roomcad_core.detect.spec import DetectorSpec

__all__ = ["Detection", "Detector", "DetectorSpec", "apply_detections", "load_detector"]
