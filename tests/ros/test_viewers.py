"""RViz's and Foxglove's files ask for topics that the nodes publish, and these show the room."""

import json

import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from rclpy.qos import (
    QoSCompatibility,
    QoSDurabilityPolicy,
    QoSLivelinessPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
    qos_check_compatible,
)
from sensor_msgs.msg import Image, PointCloud2
from visualization_msgs.msg import Marker, MarkerArray

from roomcad_core.bags.clouds import cloud_fields
from roomcad_core.camera import unproject
from roomcad_core.config import TrackConfig
from roomcad_core.gravity import gravity_frame, up_from_pose
from roomcad_core.library import Library
from roomcad_core.pose import rigid
from roomcad_core.tracks import Follower
from roomcad_core.types import Alignment, Object, Segmentation
from roomcad_ros.pipeline_node import PipelineNode
from roomcad_ros.segment_node import SegmentNode

# Display or panel -> message type it shows.
DISPLAYS = {
    "rviz_default_plugins/MarkerArray": MarkerArray,
    "rviz_default_plugins/PointCloud2": PointCloud2,
    "rviz_default_plugins/Image": Image,
}
T_CAM_OBJ = rigid(np.diag([1.0, -1, -1]), [0, 0.3, 2.0])  # a CAD ahead, upright in a level camera
S = np.array([0.5, 0.9, 0.6])


@pytest.fixture(scope="module")
def library():
    return Library.load()


@pytest.fixture
def displays(request):
    """Displays of launch/roomcad.rviz that show a topic."""
    config = yaml.safe_load((request.config.rootpath / "launch/roomcad.rviz").read_text())
    return [d for d in config["Visualization Manager"]["Displays"] if "Topic" in d]


@pytest.fixture
def layout(request):
    return json.loads((request.config.rootpath / "launch/roomcad.foxglove.json").read_text())


def segment_box(frame):
    up = up_from_pose(frame.T_world_cam)
    points = np.zeros((4, 3), np.float32)
    box = np.array([40, 30, 90, 80], np.float32)
    return Segmentation(
        (frame.instances if frame.instances is not None else frame.depth > 0).astype(np.uint16),
        (Object(1, box, points, "chair", 0.8),),
        gravity_frame(up),
        None,
    )


class OneChair:
    """A pipeline that finds the same chair in every frame."""

    def __init__(self, library):
        self.library, self.seconds = library, {}
        self.cad = library.of_class("chair")[0]
        self.follower = Follower(lambda *_: (), library, TrackConfig(enabled=False))

    def __call__(self, frame):
        found = Alignment(1, "chair", self.cad.id, T_CAM_OBJ, S, 0.75, 0.8)
        return (found,), segment_box(frame)


@pytest.fixture
def stack(rig, library):
    """Nodes that together publish all there is, served with frames and camera poses."""

    def start(*parameters):
        options = {"parameter_overrides": [Parameter(n, value=v) for n, v in parameters]}
        nodes = SegmentNode(segment_box).start(), PipelineNode(OneChair(library), **options).start()
        rig.connect(*nodes, inputs=("color", "depth", "info", "tf"))
        return nodes

    return start


def serve_until(rig, frame, until):
    """Send posed frames, ten a second, until the condition holds."""
    for stamp in range(100, 300):
        rig.send_pose(frame, stamp)
        rig.send(frame, stamp)
        rig.pause(0.1)
        if until():
            return
    raise AssertionError("timed out")


def qos_of(topic):
    """The QoS that a display of roomcad.rviz subscribes with."""
    durability = {
        "Volatile": QoSDurabilityPolicy.VOLATILE,
        "Transient Local": QoSDurabilityPolicy.TRANSIENT_LOCAL,
    }
    reliability = {
        "Best Effort": QoSReliabilityPolicy.BEST_EFFORT,
        "Reliable": QoSReliabilityPolicy.RELIABLE,
    }
    assert topic["History Policy"] == "Keep Last"
    return QoSProfile(
        depth=topic["Depth"],
        durability=durability[topic["Durability Policy"]],
        reliability=reliability[topic["Reliability Policy"]],
        liveliness=QoSLivelinessPolicy.AUTOMATIC,
    )


def name_of(kind):
    """ "package/msg/Name" of a message class."""
    return f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"


def offers_of(rig, topic):
    """What is published on `topic`, as DDS tells."""
    name = rig.node.resolve_topic_name(topic)
    rig.wait(lambda: rig.node.count_publishers(name), f"a publisher of {name}")
    return rig.node.get_publishers_info_by_topic(name)


def test_every_display_gets_messages_of_its_type_with_its_qos(rig, stack, frame, displays):
    stack()
    received = {}
    for display in displays:
        kind, qos = DISPLAYS[display["Class"]], qos_of(display["Topic"])
        topic = display["Topic"]["Value"]
        for offer in offers_of(rig, topic):
            assert offer.topic_type == name_of(kind), topic
            matched, why = qos_check_compatible(offer.qos_profile, qos)
            assert matched == QoSCompatibility.OK, f"{topic}: {why}"
        received[topic] = []
        rig.node.create_subscription(kind, topic, received[topic].append, qos)
    assert received.keys() == {"cloud", "markers", "overlay", "segmentation"}
    serve_until(rig, frame, lambda: all(received.values()))
    assert received["overlay"][-1].encoding == "rgb8"


def test_rviz_shows_images_markers_and_cloud_at_once(displays):
    shown = {d["Topic"]["Value"] for d in displays if d["Enabled"]}
    assert shown == {"cloud", "markers", "overlay"}
    assert not any(d["Topic"]["Value"].startswith("/") for d in displays)  # a namespace may come


def test_a_viewer_that_comes_late_still_gets_the_markers(rig, stack, frame, displays):
    _, pipeline = stack()
    serve_until(rig, frame, lambda: "image stamp to marker" in pipeline.health._seconds)
    (topic,) = (d["Topic"] for d in displays if d["Class"].endswith("MarkerArray"))
    late = []
    rig.node.create_subscription(MarkerArray, topic["Value"], late.append, qos_of(topic))
    rig.wait(lambda: late, "the markers of before")
    assert late[0].markers[-1].header.frame_id == "map"


def test_the_foxglove_layout_names_topics_of_the_nodes_with_their_types(rig, stack, layout):
    stack()
    panels = layout["configById"]
    for name, panel in panels.items():
        for topic, kinds in topics_of(name, panel).items():
            for offer in offers_of(rig, topic):
                assert offer.topic_type in map(name_of, kinds), topic
    room = panels["3D!room"]
    assert all(panel["visible"] for panel in room["topics"].values())
    assert room["topics"].keys() == {"/markers", "/cloud"}
    assert room["topics"]["/cloud"]["colorField"] == "rgb"


def topics_of(name, panel):
    """{topic: message types that the panel can show}."""
    kind = name.split("!")[0]
    if kind == "3D":
        return {t: {MarkerArray, PointCloud2} for t in panel["topics"]}
    if kind == "Image":
        return {panel["imageMode"]["imageTopic"]: {Image}}
    if kind == "DiagnosticSummary":
        return {panel["topicToRender"]: {DiagnosticArray}}
    assert kind == "Tab", name
    return {}


def test_the_foxglove_layout_places_every_panel_once(layout):
    placed = list(leaves(layout["layout"]))
    for name in list(placed):
        for tab in layout["configById"][name].get("tabs", ()):
            placed += leaves(tab["layout"])
    assert sorted(placed) == sorted(layout["configById"])


def leaves(node):
    if isinstance(node, str):
        yield node
    else:
        assert node["direction"] in ("row", "column")
        yield from leaves(node["first"])
        yield from leaves(node["second"])


def test_the_cloud_is_the_coloured_depth_image(rig, stack, frame):
    stack()
    clouds = rig.collect(PointCloud2, "cloud")
    serve_until(rig, frame, lambda: clouds)
    cloud = clouds[-1]
    assert cloud.header.frame_id == frame.frame_id
    fields = cloud_fields(cloud)
    points = np.stack([fields[axis] for axis in "xyz"], -1)
    wanted = unproject(frame.depth, frame.K)
    seen = frame.depth > 0
    np.testing.assert_allclose(points[seen], wanted[seen], atol=1e-3)
    assert np.isnan(points[~seen]).all()
    packed = np.ascontiguousarray(fields["rgb"]).view(np.uint32)
    np.testing.assert_array_equal(packed >> 16 & 255, frame.color[..., 0])


def test_embedded_meshes_are_the_triangles_of_the_cad_in_its_size(rig, stack, frame, library):
    stack(("markers.embed", True))
    arrays = rig.collect(MarkerArray, "markers", latched=True)
    serve_until(rig, frame, lambda: arrays and arrays[-1].markers[-1].header.frame_id == "map")
    mesh = next(m for m in arrays[-1].markers if m.ns == "cad")
    assert (mesh.type, mesh.mesh_resource) == (Marker.TRIANGLE_LIST, "")
    scale = mesh.scale
    assert (scale.x, scale.y, scale.z) == (1, 1, 1)
    vertices, triangles, _ = library.of_class("chair")[0].load_mesh()
    corners = np.array([[p.x, p.y, p.z] for p in mesh.points])
    np.testing.assert_allclose(corners, vertices[triangles].reshape(-1, 3) * S, atol=1e-6)
    p = mesh.pose.position
    T_world_obj = frame.T_world_cam @ T_CAM_OBJ
    np.testing.assert_allclose([p.x, p.y, p.z], T_world_obj[:3, 3], atol=1e-6)


def test_a_thin_frame_keeps_its_points_where_they_are(frame):
    from roomcad_core.thin import thin

    small = thin(frame, 1500)
    assert small.depth.shape == (30, 40) and small.depth.size <= 1500
    every = unproject(frame.depth, frame.K)[::4, ::4]
    np.testing.assert_allclose(unproject(small.depth, small.K), every, atol=1e-6)
    np.testing.assert_array_equal(small.color, frame.color[::4, ::4])
    assert thin(frame, frame.depth.size) is frame
