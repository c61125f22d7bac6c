"""Fixtures for tests that run real nodes on real topics, each in a DDS domain of its own."""

import itertools
import os
import time

import numpy as np
import pytest

# Before rclpy is imported: tests must not be heard on the network.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

rclpy = pytest.importorskip("rclpy", reason="no ROS here: run the tests through scripts/run.sh")
pytest.importorskip("roomcad_msgs", reason="the workspace is not built: run scripts/run.sh")

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data  # noqa: E402

DOMAINS = itertools.count(os.getpid() * 7)
TIMEOUT = 20.0  # [s] far more than anything takes, for machines under load


@pytest.fixture
def domain():
    """A DDS domain that no other test of this run uses; 1..100 are free of reserved ports."""
    return 1 + next(DOMAINS) % 100


@pytest.fixture
def spin(domain):
    """spin(until, *nodes): run the nodes until the condition holds; nodes stay for later calls."""
    rclpy.init(domain_id=domain)
    executor = SingleThreadedExecutor()

    def run(until, *nodes, why="the condition"):
        for node in nodes:
            executor.add_node(node)
        end = time.monotonic() + TIMEOUT
        while not until():
            assert time.monotonic() < end, f"timed out waiting for {why}"
            executor.spin_once(timeout_sec=0.05)

    yield run
    for node in executor.get_nodes():
        executor.remove_node(node)
        node.destroy_node()
    executor.shutdown()
    rclpy.try_shutdown()


class Rig:
    """A node at the other end of the topics: sends camera messages, keeps what comes back."""

    def __init__(self, spin):
        from sensor_msgs.msg import CameraInfo, Image, PointCloud2
        from tf2_msgs.msg import TFMessage

        self.spin = spin
        self.node = rclpy.create_node("rig")
        self.color = self._publisher(Image, "color/image_raw")
        self.depth = self._publisher(Image, "depth/image_raw")
        self.info = self._publisher(CameraInfo, "camera_info")
        self.points = self._publisher(PointCloud2, "points")
        self.tf = self.node.create_publisher(TFMessage, "/tf", 10)

    def _publisher(self, kind, topic):
        return self.node.create_publisher(kind, topic, qos_profile_sensor_data)

    def collect(self, kind, topic, latched=False):
        """A list that grows with what is published on `topic`."""
        durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
        received = []
        qos = QoSProfile(depth=10, durability=durability)
        self.node.create_subscription(kind, topic, received.append, qos)
        return received

    def connect(self, *nodes, inputs=("color", "depth", "info")):
        """Run the nodes until each hears every input, and the rig hears every output."""
        publishers = [getattr(self, name) for name in inputs]
        heard = dict.fromkeys(publishers, 0)
        for node in nodes:
            for p in publishers:
                listens = [s for s in node.subscriptions if s.topic_name == p.topic_name]
                heard[p] += len(listens)
        subscribed = [s for s in self.node.subscriptions if s.topic_name != "/parameter_events"]

        def matched():
            listened = all(p.get_subscription_count() >= max(heard[p], 1) for p in publishers)
            count = self.node.count_publishers
            return listened and all(count(s.topic_name) for s in subscribed)

        self.spin(matched, self.node, *nodes, why="discovery")
        # Endpoints know of each other; the data path of both needs another moment.
        self.pause(0.2)

    def pause(self, seconds):
        """Keep everything running for a while."""
        end = time.monotonic() + seconds
        self.spin(lambda: time.monotonic() > end)

    def wait(self, until, why="the condition"):
        """Keep everything running until the condition holds."""
        self.spin(until, why=why)

    def send(self, frame, stamp=None, **changed):
        """Publish a Frame as images; `changed` replaces messages (None = not sent)."""
        messages = camera_messages(frame, stamp) | changed
        for name in ("info", "color", "depth"):
            if messages[name] is not None:
                getattr(self, name).publish(messages[name])

    def send_until(self, frame, received, first_stamp):
        """Publish good frames, one a tenth of a second, until one has come back."""
        for stamp in range(first_stamp, first_stamp + 100):
            self.send(frame, stamp)
            self.pause(0.1)
            if received and received[-1].header.stamp.sec >= first_stamp:
                return
        raise AssertionError(f"no good frame was served from stamp {first_stamp} on")

    def send_pose(self, frame, stamp=None, T_world_cam=None, parent="map"):
        """Publish the camera's pose as TF from `parent`."""
        from tf2_msgs.msg import TFMessage

        T = frame.T_world_cam if T_world_cam is None else T_world_cam
        self.tf.publish(TFMessage(transforms=[transform_msg(T, frame, stamp, parent)]))


def camera_messages(frame, stamp=None):
    """{"color", "depth", "info"}: messages of a Frame."""
    from std_msgs.msg import Header

    from roomcad_ros import images

    header = Header(
        frame_id=frame.frame_id, stamp=time_msg(frame.stamp if stamp is None else stamp)
    )
    return {
        "color": images.image_msg(frame.color, "rgb8", header),
        "depth": images.depth_msg(frame.depth, header),
        "info": images.info_msg(frame.K, frame.depth.shape, header),
    }


def time_msg(seconds):
    """builtin_interfaces/Time."""
    from rclpy.time import Time

    return Time(nanoseconds=round(seconds * 1e9)).to_msg()


def transform_msg(T, frame, stamp=None, parent="map"):
    """geometry_msgs/TransformStamped parent -> camera."""
    from geometry_msgs.msg import TransformStamped

    from roomcad_core.pose import quaternion

    out = TransformStamped(child_frame_id=frame.frame_id)
    out.header.frame_id = parent
    out.header.stamp = time_msg(frame.stamp if stamp is None else stamp)
    t, r = out.transform.translation, out.transform.rotation
    t.x, t.y, t.z = map(float, T[:3, 3])
    q = quaternion(T[:3, :3]) if np.isfinite(T).all() else [np.nan] * 4
    r.x, r.y, r.z, r.w = map(float, q)
    return out


@pytest.fixture
def rig(spin):
    return Rig(spin)


@pytest.fixture
def frame():
    """A (120, 160) view of a 0.6 x 0.5 x 0.8 m box on a floor, camera 1.3 m high, looking down."""
    from roomcad_core.camera import rays
    from roomcad_core.pose import rigid
    from roomcad_core.types import Frame

    tilt = np.radians(25)
    right, forward = np.array([0.0, -1, 0]), np.array([np.cos(tilt), 0, -np.sin(tilt)])
    T_world_cam = rigid(np.stack([right, np.cross(forward, right), forward], 1), [0.0, 0, 1.3])
    K = np.array([[140.0, 0, 79.5], [0, 140, 59.5], [0, 0, 1]])
    view = rays((120, 160), K) @ T_world_cam[:3, :3].T
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.where(view[..., 2] < 0, -1.3 / view[..., 2], np.inf)
        low, high = np.array([1.7, -0.3, 0.0]), np.array([2.2, 0.3, 0.8])
        a, b = (low - [0, 0, 1.3]) / view, (high - [0, 0, 1.3]) / view
    near, far = np.minimum(a, b).max(-1), np.maximum(a, b).min(-1)
    hit = (near <= far) & (near > 0)
    depth = np.where(hit, near, floor)
    instances = hit.astype(np.uint16)
    color = np.where(hit[..., None], [200, 60, 40], [90, 110, 90]).astype(np.uint8)
    depth = np.where(depth < 6, np.round(depth, 3), 0).astype(np.float32)
    return Frame(100.0, color, depth, K, T_world_cam, "camera_optical", instances)


@pytest.fixture
def sequence(tmp_path, frame):
    """A ScanNet-style folder with three frames, 10 a second, that differ from each other."""
    from roomcad_core.datasets import open_dataset
    from roomcad_core.pictures import encode_picture

    root = tmp_path / "room"
    for part in ("color", "depth", "pose", "intrinsic"):
        (root / part).mkdir(parents=True)
    K = np.eye(4)
    K[:3, :3] = frame.K
    for kind in ("color", "depth"):
        np.savetxt(root / "intrinsic" / f"intrinsic_{kind}.txt", K)
    for i in range(3):
        depth = np.round(frame.depth * 1000).astype(np.uint16)
        depth[i, :] = 1000 + i
        color = frame.color.copy()
        color[:, i] = 10 * i
        (root / "color" / f"{i}.png").write_bytes(encode_picture(".png", color[..., ::-1]))
        (root / "depth" / f"{i}.png").write_bytes(encode_picture(".png", depth))
        T = frame.T_world_cam.copy()
        T[0, 3] += 0.1 * i
        np.savetxt(root / "pose" / f"{i}.txt", T)
    return open_dataset(root, fps=10.0, up="z")
