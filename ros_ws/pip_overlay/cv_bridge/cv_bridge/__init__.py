"""Stand-in for ROS 2's cv_bridge where PyPI is all there is: Image messages as NumPy arrays.

Holds what roomcad's nodes use, with the names and signatures of the official package. Depth
images are never rescaled: a conversion that would change the sample type is an error.
"""

import array
import re
import sys

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

COLOUR = {"mono8": 1, "bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4}
TYPED = re.compile(r"(8U|8S|16U|16S|32S|32F|64F)C([1-4])")
DTYPES = {"U": "u", "S": "i", "F": "f"}


class CvBridgeError(TypeError):
    """An image that cannot be converted."""


class CvBridge:
    """Converts between sensor_msgs images and arrays (H, W) or (H, W, C)."""

    def imgmsg_to_cv2(self, img_msg, desired_encoding="passthrough"):
        """Array of an Image, in native byte order; 'passthrough' keeps its encoding.

        Raises CvBridgeError where the data does not fit the size, or no conversion exists.
        """
        dtype, channels = layout(img_msg.encoding)
        image = pixels(img_msg, dtype, channels)
        return convert(image, img_msg.encoding, desired_encoding)

    def cv2_to_imgmsg(self, cvim, encoding="passthrough", header=None):
        """Image of an array; 'passthrough' names the plain type, such as 16UC1."""
        if not isinstance(cvim, np.ndarray):
            raise CvBridgeError(f"got {type(cvim).__name__}, expected a NumPy array")
        encoding = type_encoding(cvim) if encoding == "passthrough" else encoding
        dtype, channels = layout(encoding)
        got = 1 if cvim.ndim == 2 else cvim.shape[2]
        if (cvim.dtype, got) != (dtype, channels):
            raise CvBridgeError(
                f"{encoding} needs {channels} x {dtype}, got {got} x {cvim.dtype} {cvim.shape}"
            )
        msg = Image(height=cvim.shape[0], width=cvim.shape[1], encoding=encoding)
        if header is not None:
            msg.header = header
        msg.is_bigendian = int(sys.byteorder == "big")
        msg.step = cvim.shape[1] * channels * dtype.itemsize
        msg.data = array.array("B", cvim.tobytes())  # a NumPy array would take 200 ms here
        return msg

    def compressed_imgmsg_to_cv2(self, cmprs_img_msg, desired_encoding="passthrough"):
        """Array of a CompressedImage; colour comes as bgr8 unless another encoding is asked."""
        data = np.frombuffer(cmprs_img_msg.data, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR) if data.size else None
        if image is None:
            raise CvBridgeError(f"cannot decode a {cmprs_img_msg.format!r} image")
        return convert(image, "mono8" if image.ndim == 2 else "bgr8", desired_encoding)

    def cv2_to_compressed_imgmsg(self, cvim, dst_format="jpg"):
        """CompressedImage of a grey or BGR array."""
        ok, data = cv2.imencode(f".{dst_format}", cvim)
        if not ok:
            raise CvBridgeError(f"cannot encode {cvim.dtype} {cvim.shape} as {dst_format}")
        return CompressedImage(format=dst_format, data=array.array("B", data.tobytes()))


def layout(encoding):
    """(dtype, channels) of an encoding name."""
    if encoding in COLOUR:
        return np.dtype("u1"), COLOUR[encoding]
    typed = TYPED.fullmatch("16UC1" if encoding == "mono16" else encoding)
    if not typed:
        raise CvBridgeError(f"encoding {encoding!r} is not known here")
    bits, kind = int(typed[1][:-1]), DTYPES[typed[1][-1]]
    return np.dtype(f"{kind}{bits // 8}"), int(typed[2])


def type_encoding(image):
    """Plain type name of an array, such as 32FC1."""
    kinds = {kind: letter for letter, kind in DTYPES.items()}
    channels = 1 if image.ndim == 2 else image.shape[2]
    return f"{image.dtype.itemsize * 8}{kinds.get(image.dtype.kind, '?')}C{channels}"


def pixels(msg, dtype, channels):
    """Samples of an Image as (H, W) or (H, W, C); no copy where step and byte order allow."""
    row = msg.width * channels * dtype.itemsize
    if msg.step < row or len(msg.data) < msg.step * msg.height:
        raise CvBridgeError(
            f"{msg.encoding} {msg.width}x{msg.height}: got step {msg.step} and "
            f"{len(msg.data)} bytes, expected a step of {row} and {row * msg.height} bytes at least"
        )
    strides = (msg.step, channels * dtype.itemsize, dtype.itemsize)
    shape = (msg.height, msg.width, channels)
    image = np.ndarray(shape, dtype, buffer=msg.data, strides=strides)
    if bool(msg.is_bigendian) != (sys.byteorder == "big") and dtype.itemsize > 1:
        image = image.byteswap()
    return image[..., 0] if channels == 1 else image


def convert(image, source, target):
    """`image` of encoding `source` in encoding `target`."""
    if target in ("passthrough", "", source):
        return image
    if source in COLOUR and target in COLOUR:
        name = f"COLOR_{cv2_name(source)}2{cv2_name(target)}"
        return cv2.cvtColor(image, getattr(cv2, name))
    if layout(source) == layout(target):
        return image
    raise CvBridgeError(f"cannot convert {source} to {target} without changing its values")


def cv2_name(encoding):
    """OpenCV's name of a colour encoding."""
    return "GRAY" if encoding == "mono8" else encoding.removesuffix("8").upper()
