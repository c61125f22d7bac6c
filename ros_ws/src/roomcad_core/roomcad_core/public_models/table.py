"""The public models that roomcad knows: where from, how large, whose, and what their files need.

A checksum is entered only if the model's publisher states it: in the Git LFS pointer of the file,
or in its own source beside the address. Models whose publishers state none are fetched by URL.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OPENCV_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"
ONNX_ZOO = "https://huggingface.co/onnxmodelzoo"
LABELIMG = "https://github.com/abhiksark/labelImg-plus-plus/releases/download/sam-onnx-v1"
# The Mask R-CNN of the ONNX zoo. It cuts boxes off at 1280 x 960, so the input stays below that.
MASK_RCNN = {
    "layout": "maskrcnn",
    "width": 1088,
    "height": 800,
    "color": "bgr",
    "mean": [102.9801, 115.9465, 122.7717],
    "batch": False,
    "vocabulary": "coco81",
    "outputs": {"boxes": "6568", "labels": "6570", "scores": "6572", "masks": "6887"},
}


@dataclass(frozen=True)
class RemoteFile:
    """One file of a model."""

    name: str
    url: str
    sha256: str
    size: int | None = None  # [bytes]; None = not known beforehand


@dataclass(frozen=True)
class PublicModel:
    """A model of several files; `spec` is what a YAML would say of them."""

    name: str
    task: str  # "detector" or "masks"
    about: str
    licence: str
    source: str  # who publishes files and checksums
    files: tuple[RemoteFile, ...]
    spec: dict = field(default_factory=dict)

    @property
    def size(self):
        """Bytes of all files."""
        return sum(file.size or 0 for file in self.files)


YOLOX_S = PublicModel(
    "yolox_s",
    "detector",
    "YOLOX-S, boxes of COCO's 80 classes",
    "Apache-2.0",
    "OpenCV model zoo",
    (
        RemoteFile(
            "object_detection_yolox_2022nov.onnx",
            f"{OPENCV_ZOO}/object_detection_yolox/object_detection_yolox_2022nov.onnx",
            "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063",
            35858002,
        ),
    ),
    {"onnx": "object_detection_yolox_2022nov.onnx", "color": "rgb"},
)
MASKRCNN_INT8 = PublicModel(
    "maskrcnn_int8",
    "detector",
    "Mask R-CNN R-50-FPN in 8 bits, boxes and masks of COCO's 80 classes",
    "MIT",
    "ONNX model zoo",
    (
        RemoteFile(
            "MaskRCNN-12-int8.onnx",
            f"{ONNX_ZOO}/MaskRCNN-12-int8/resolve/main/MaskRCNN-12-int8.onnx",
            "4409935e855719fd6cd986f7ec2a3de840d0bd9c9cf7a0cba84ce95377f5b476",
            45769352,
        ),
    ),
    {"onnx": "MaskRCNN-12-int8.onnx", **MASK_RCNN},
)
MASKRCNN = PublicModel(
    "maskrcnn",
    "detector",
    "Mask R-CNN R-50-FPN, boxes and masks of COCO's 80 classes",
    "MIT",
    "ONNX model zoo",
    (
        RemoteFile(
            "MaskRCNN-12.onnx",
            f"{ONNX_ZOO}/MaskRCNN-12/resolve/main/MaskRCNN-12.onnx",
            "5bf940c124d9117f6fae350c4e0d46df180cbb01981832b35fdbed148078b946",
            177970010,
        ),
    ),
    {"onnx": "MaskRCNN-12.onnx", **MASK_RCNN},
)
MOBILE_SAM = PublicModel(
    "mobile_sam",
    "masks",
    "MobileSAM, masks for boxes",
    "Apache-2.0",
    "labelImg++, exported from the official mobile_sam.pt",
    (
        RemoteFile(
            "mobile_sam.encoder.onnx",
            f"{LABELIMG}/mobile_sam.encoder.onnx",
            "801d81952ee19217632966f7cfe07a8030c115a7fe5bfbec9294bfaf95e44a45",
            28157203,
        ),
        RemoteFile(
            "mobile_sam.decoder.onnx",
            f"{LABELIMG}/mobile_sam.decoder.onnx",
            "001f6386a4c6036f6fac6a104d18d7c008c7eb188b2936dab749e34cae33e1c8",
            16501737,
        ),
    ),
    {"encoder": "mobile_sam.encoder.onnx", "decoder": "mobile_sam.decoder.onnx"},
)

PUBLIC = {model.name: model for model in (YOLOX_S, MASKRCNN_INT8, MASKRCNN, MOBILE_SAM)}
