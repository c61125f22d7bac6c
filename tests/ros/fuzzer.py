"""Messages gone wrong in every way one can think of, at random but the same for the same seed."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.serialization import serialize_message
from roomcad_msgs.msg import Object
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from roomcad_ros import convert, images

WORDS = ("", "map", "odom", "nowhere", "camera_optical", "häßlich\n", "x" * 300, "a/b//c")
ENCODINGS = ("", "rgb8", "bgr8", "rgba8", "mono8", "mono16", "16UC1", "32FC1", "64FC9", "yuv422")
SIZES = (0, 1, 3, 17, 159, 161, 4000, 2**31, 2**32 - 1)
NUMBERS = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-300, 1e300)


@dataclass
class Shot:
    """Messages by the name of their topic; those that are bytes go out as they are."""

    messages: dict
    paired: bool  # colour and depth have one stamp, in line with those of before
    odd: int  # of colour and depth, how many have stamps that cannot be believed


class Fuzzer:
    """Changes one to three things in good messages. `rng`: numpy Generator; `frame`: a Frame."""

    def __init__(self, rng, frame):
        self._rng = rng
        self._small = dataclasses.replace(
            frame,
            color=np.ascontiguousarray(frame.color[::8, ::8]),
            depth=np.ascontiguousarray(frame.depth[::8, ::8]),
            instances=None,
        )
        self._frame = frame

    def _pick(self, choices):
        return choices[int(self._rng.integers(len(choices)))]

    def _number(self):
        return self._pick((*NUMBERS, float(self._rng.normal()) * 100))

    def camera(self, stamp):
        """Shot of colour, depth and camera_info with `stamp` [s]."""
        frame = self._frame if self._rng.random() < 0.2 else self._small
        headers = [Header(frame_id=frame.frame_id, stamp=time_of(stamp)) for _ in range(3)]
        color = images.image_msg(frame.color, "rgb8", headers[0])
        depth = images.depth_msg(frame.depth, headers[1])
        if self._rng.random() < 0.3:
            noise = self._rng.choice([1.0, np.nan, np.inf, -1.0], frame.depth.shape)
            depth = images.image_msg(noise.astype(np.float32), "32FC1", headers[1])
        info = images.info_msg(frame.K, frame.depth.shape, headers[2])
        messages = {"color": color, "depth": depth, "info": info}
        odd = set()
        for _ in range(int(self._rng.integers(1, 4))):
            name = self._pick(tuple(messages))
            change = self._pick(CHANGES[name])
            change(self, messages[name])
            if change is Fuzzer._stamp:
                odd.add(name)
        odd.discard("info")
        return Shot(messages, not odd, len(odd))

    def objects(self, segmentation, stamp):
        """ObjectArray with wrong contents."""
        header = Header(frame_id=self._frame.frame_id, stamp=time_of(stamp))
        message = convert.objects_msg(segmentation, header)
        for _ in range(int(self._rng.integers(1, 4))):
            self._pick(OBJECT_CHANGES)(self, message)
        return message

    def transforms(self, stamp):
        """TFMessage about any frames."""
        out = TransformStamped(child_frame_id=self._pick(WORDS))
        out.header = Header(frame_id=self._pick(WORDS), stamp=time_of(stamp))
        if self._rng.random() < 0.3:
            self._stamp(out)
        t, r = out.transform.translation, out.transform.rotation
        t.x, t.y, t.z = (self._number() for _ in range(3))
        r.x, r.y, r.z, r.w = self._pick(((0.0, 0, 0, 1), (0.0,) * 4, (np.nan,) * 4, (5.0, 1, 0, 2)))
        return TFMessage(transforms=[out] * int(self._rng.integers(0, 3)))

    def cut(self, message):
        """Bytes of a serialised message: truncated, of the other byte order, or with noise."""
        raw = bytearray(serialize_message(message))
        kind = int(self._rng.integers(3))
        if kind == 0:
            return bytes(raw[: int(self._rng.integers(0, len(raw)))])
        if kind == 1:
            raw[1] ^= 1  # the header of CDR says which byte order follows
            return bytes(raw)
        for at in self._rng.integers(4, len(raw), 8):
            raw[at] = int(self._rng.integers(256))
        return bytes(raw)

    def _stamp(self, message):
        kind = int(self._rng.integers(4))
        sec = int(self._rng.integers(*((-(2**31), 0), (2**30, 2**31), (0, 900_000), (5, 6))[kind]))
        message.header.stamp.sec = sec
        message.header.stamp.nanosec = 2**32 - 1 if kind == 3 else 0

    def _frame_id(self, message):
        message.header.frame_id = self._pick(WORDS)

    def _encoding(self, message):
        message.encoding = self._pick(ENCODINGS)

    def _size(self, message):
        name = self._pick(("width", "height"))
        setattr(message, name, self._pick(SIZES))

    def _step(self, message):
        message.step = self._pick(SIZES)

    def _data(self, message):
        n = self._pick((0, 1, len(message.data) // 2, len(message.data) - 1))
        message.data = bytes(message.data[:n])

    def _noise(self, message):
        message.data = self._rng.bytes(len(message.data))

    def _byte_order(self, message):
        message.is_bigendian = self._pick((1, 255))

    def _intrinsics(self, info):
        K = np.array(info.k)
        K[self._rng.integers(9)] = self._number()
        info.k = np.zeros(9) if self._rng.random() < 0.3 else K

    def _lens(self, info):
        n = self._pick((0, 1, 4, 5, 8, 30))
        info.d = [self._number() for _ in range(n)]
        info.distortion_model = self._pick(("", "plumb_bob", "equidistant", "rubber"))

    def _rotation(self, array):
        array.q_grav_cam.x = self._number()

    def _floor(self, array):
        array.floor_z = float(np.float32(self._pick((np.nan, np.inf, 1e30, -5.0))))

    def _instances(self, array):
        self._pick((Fuzzer._encoding, Fuzzer._size, Fuzzer._step, Fuzzer._data))(
            self, array.instances
        )

    def _object(self, array):
        obj = self._pick(array.objects) if array.objects else Object()
        kind = int(self._rng.integers(6))
        if kind == 0:
            obj.points = obj.points[: int(self._rng.integers(0, 50))]
        elif kind == 1:
            obj.points = [self._pick((np.nan, np.inf, 0.0, 1e30)) for _ in range(99)]
        elif kind == 2:
            obj.box = np.array([self._pick((np.nan, -1e9, 0.0, 1e9)) for _ in range(4)], np.float32)
        elif kind == 3:
            obj.label, obj.score = self._pick(("", "other", "chair", "dragon")), np.nan
        elif kind == 4:
            obj.class_names, obj.cad_ids = ["chair", "dragon", "x"], ["no_such_model", ""]
            obj.class_scores = [0.5] * self._pick((1, 3))
        else:
            obj.id = self._pick((0, 1, 65535))
        array.objects = [obj] * self._pick((1, 2, 40))


def time_of(stamp):
    from rclpy.time import Time

    return Time(nanoseconds=round(stamp * 1e9)).to_msg()


IMAGE_CHANGES = (
    Fuzzer._stamp, Fuzzer._frame_id, Fuzzer._encoding, Fuzzer._size, Fuzzer._step, Fuzzer._data,
    Fuzzer._noise, Fuzzer._byte_order,
)  # fmt: skip
INFO_CHANGES = (Fuzzer._stamp, Fuzzer._frame_id, Fuzzer._size, Fuzzer._intrinsics, Fuzzer._lens)
CHANGES = {"color": IMAGE_CHANGES, "depth": IMAGE_CHANGES, "info": INFO_CHANGES}
OBJECT_CHANGES = (
    Fuzzer._stamp, Fuzzer._frame_id, Fuzzer._rotation, Fuzzer._floor, Fuzzer._instances,
    Fuzzer._object, Fuzzer._object, Fuzzer._object,
)  # fmt: skip
