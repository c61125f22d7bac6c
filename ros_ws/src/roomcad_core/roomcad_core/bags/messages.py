"""ROS messages of a Frame, built with the rosbags type store (no ROS needed)."""

import cv2
import numpy as np

from roomcad_core.bags.clouds import xyzrgb_bytes
from roomcad_core.bags.images import DEPTH_HEAD, millimetres
from roomcad_core.pictures import encode_picture
from roomcad_core.pose import quaternion

COLOR = "/camera/color/image_raw"
DEPTH = "/camera/depth/image_raw"
COLOR_INFO = "/camera/color/camera_info"
DEPTH_INFO = "/camera/depth/camera_info"
POINTS = "/camera/depth/points"
TF = "/tf"
TF_STATIC = "/tf_static"
WORLD_FRAME = "map"
BODY_FRAME = "camera_link"  # x forward, y left, z up, at the optical frame's origin
JPEG_QUALITY = 95
FLOAT32 = 7  # PointField.FLOAT32
Q_OPTICAL_BODY = (0.5, -0.5, 0.5, 0.5)  # xyzw: turns body axes into optical axes


class Messages:
    """Makes the messages of frames and puts them into a bag."""

    def __init__(self):
        from rosbags.typesys import Stores, get_typestore

        self._store = get_typestore(Stores.ROS2_JAZZY)
        self._static_sent = False

    def encode(self, msg):
        """CDR bytes of a message."""
        return self._store.serialize_cdr(msg, msg.__msgtype__)

    def connect(self, bag, topic, msg):
        """Declare `topic` in a rosbags Writer; /tf_static is marked transient local."""
        return bag.add_connection(
            topic,
            msg.__msgtype__,
            typestore=self._store,
            offered_qos_profiles=[qos_profile(transient_local=topic == TF_STATIC)],
        )

    def of_frame(self, frame, stamp_ns, points, compressed):
        """[(topic, message)] of one frame, transforms first so that images find them."""
        header = self._header(frame.frame_id, stamp_ns)
        info = self._camera_info(header, frame)
        images = self._compressed_images if compressed else self._raw_images
        out = self._transforms(frame, stamp_ns)
        out += [(COLOR_INFO, info), (DEPTH_INFO, info), *images(header, frame)]
        if points:
            out.append((POINTS, self._cloud(header, frame)))
        return out

    def _make(self, name, *values):
        return self._store.types[name](*values)

    def _header(self, frame_id, stamp_ns):
        time = self._make("builtin_interfaces/msg/Time", *divmod(stamp_ns, 1_000_000_000))
        return self._make("std_msgs/msg/Header", time, frame_id)

    def _raw_images(self, header, frame):
        return [
            (COLOR, self._image(header, "rgb8", frame.color)),
            (DEPTH, self._image(header, "16UC1", millimetres(frame.depth))),
        ]

    def _image(self, header, encoding, array):
        height, width = array.shape[:2]
        data = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
        step = data.size // height
        return self._make("sensor_msgs/msg/Image", header, height, width, encoding, 0, step, data)

    def _compressed_images(self, header, frame):
        jpeg = encode_picture(".jpg", frame.color, cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
        png = DEPTH_HEAD.pack(0, 0.0, 0.0) + encode_picture(".png", millimetres(frame.depth))
        name = "sensor_msgs/msg/CompressedImage"
        color_format, depth_format = "rgb8; jpeg compressed bgr8", "16UC1; compressedDepth png"
        color = self._make(name, header, color_format, np.frombuffer(jpeg, np.uint8))
        depth = self._make(name, header, depth_format, np.frombuffer(png, np.uint8))
        return [(f"{COLOR}/compressed", color), (f"{DEPTH}/compressedDepth", depth)]

    def _camera_info(self, header, frame):
        height, width = frame.depth.shape
        K = np.asarray(frame.K, float)
        P = np.hstack([K, np.zeros((3, 1))])
        roi = self._make("sensor_msgs/msg/RegionOfInterest", 0, 0, 0, 0, False)
        return self._make(
            "sensor_msgs/msg/CameraInfo",
            *(header, height, width, "plumb_bob", np.zeros(5)),
            *(K.ravel(), np.eye(3).ravel(), P.ravel(), 0, 0, roi),
        )

    def _cloud(self, header, frame):
        height, width = frame.depth.shape
        fields = [
            self._make("sensor_msgs/msg/PointField", name, 4 * i, FLOAT32, 1)
            for i, name in enumerate(("x", "y", "z", "rgb"))
        ]
        data = np.frombuffer(xyzrgb_bytes(frame.color, frame.depth, frame.K), np.uint8)
        return self._make(
            "sensor_msgs/msg/PointCloud2",
            *(header, height, width, fields, False, 16, 16 * width, data, False),
        )

    def _transforms(self, frame, stamp_ns):
        """/tf of a frame with a pose, and once /tf_static with the camera's body frame."""
        if frame.T_world_cam is None:
            return []
        header = self._header(WORLD_FRAME, stamp_ns)
        q = quaternion(frame.T_world_cam[:3, :3])
        moving = self._transform(header, frame.frame_id, frame.T_world_cam[:3, 3], q)
        out = [(TF, self._make("tf2_msgs/msg/TFMessage", [moving]))]
        if not self._static_sent:
            self._static_sent = True
            header = self._header(frame.frame_id, stamp_ns)
            body = self._transform(header, BODY_FRAME, np.zeros(3), Q_OPTICAL_BODY)
            out.insert(0, (TF_STATIC, self._make("tf2_msgs/msg/TFMessage", [body])))
        return out

    def _transform(self, header, child, t, q):
        t = self._make("geometry_msgs/msg/Vector3", *map(float, t))
        q = self._make("geometry_msgs/msg/Quaternion", *map(float, q))
        transform = self._make("geometry_msgs/msg/Transform", t, q)
        return self._make("geometry_msgs/msg/TransformStamped", header, child, transform)


def qos_profile(transient_local):
    """Reliable QoS of a recorded topic, as the bag's metadata offer it to players."""
    from rosbags import interfaces as ros

    forever = ros.QosTime(9223372036, 854775807)  # as rosbag2 writes "infinite"
    kept = ros.QosDurability.TRANSIENT_LOCAL if transient_local else ros.QosDurability.VOLATILE
    return ros.Qos(
        history=ros.QosHistory.KEEP_LAST,
        depth=1 if transient_local else 10,
        reliability=ros.QosReliability.RELIABLE,
        durability=kept,
        deadline=forever,
        lifespan=forever,
        liveliness=ros.QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=forever,
        avoid_ros_namespace_conventions=False,
    )
