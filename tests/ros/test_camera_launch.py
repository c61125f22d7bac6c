"""The camera launch files: topics of real nodes, and what the driver and RViz are started with.

Drivers, RViz and Foxglove's bridge are stand-ins that note their arguments.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.skipif(shutil.which("ros2") is None, reason="no ros2 command here")

COMPOSED = ("composition:=true", "model:=box_size")  # one process to wait for, and no weights
PROGRAM = """#!/usr/bin/env python3
import json, sys, time
open({notes!r}, "w").write(json.dumps(sys.argv[1:]))
time.sleep(600)
"""
DRIVER = """
import json
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction

def note(context):
    open({notes!r}, "w").write(json.dumps(dict(context.launch_configurations)))

def generate_launch_description():
    own = DeclareLaunchArgument("log_level", default_value="the driver's own")
    return LaunchDescription([own, OpaqueFunction(function=note)])
"""


@pytest.fixture
def prefix(tmp_path):
    """An ament prefix for stand-ins: prefix.program(...) and prefix.driver(...) add one each."""
    return Prefix(tmp_path / "prefix")


class Prefix:
    def __init__(self, folder):
        self.folder = folder

    def _package(self, name):
        index = self.folder / "share" / "ament_index" / "resource_index" / "packages" / name
        index.parent.mkdir(parents=True, exist_ok=True)
        index.touch()

    def program(self, name):
        """A program of a package of the same name; returns the file of its arguments."""
        self._package(name)
        path, notes = self.folder / "lib" / name / name, self.folder / f"{name}.json"
        path.parent.mkdir(parents=True)
        path.write_text(PROGRAM.format(notes=str(notes)))
        path.chmod(0o755)
        return notes

    def driver(self, package, file):
        """A driver's launch file; returns the file of its arguments."""
        self._package(package)
        path = self.folder / "share" / package / "launch" / file
        notes = self.folder / f"{package}.json"
        path.parent.mkdir(parents=True)
        path.write_text(DRIVER.format(notes=str(notes)))
        return notes


@contextlib.contextmanager
def launched(request, domain, prefix, name, *arguments):
    """A launch file of this repository while it runs."""
    found = f"{prefix.folder}{os.pathsep}{os.environ.get('AMENT_PREFIX_PATH', '')}"
    process = subprocess.Popen(
        ["ros2", "launch", str(request.config.rootpath / "launch" / name), *arguments],
        env=os.environ | {"ROS_DOMAIN_ID": str(domain), "AMENT_PREFIX_PATH": found},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def subscribed(node, process, topics):
    """{topic: type} of what the node `pipeline` subscribes to, once it has all of `topics`."""
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        found = {}
        for topic in topics:
            for info in node.get_subscriptions_info_by_topic(topic):
                if info.node_name == "pipeline":
                    found[topic] = info.topic_type
        if len(found) == len(topics):
            return found
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"subscribed to {found} of {topics}:\n{process.communicate()[0]}")


def noted(path):
    end = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < end, f"{path.name} was never started"
        time.sleep(0.1)
    return json.loads(path.read_text())


IMAGE, SMALL = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


def test_realsense_starts_its_driver_and_listens_to_its_topics(request, domain, rig, prefix):
    notes = prefix.driver("realsense2_camera", "rs_launch.py")
    arguments = ("camera_name:=front", "serial_no:='_123'", "depth_transport:=compressedDepth")
    with launched(request, domain, prefix, "realsense.launch.py", *COMPOSED, *arguments) as run:
        given = noted(notes)
        assert given["align_depth.enable"] == given["enable_sync"] == "true"
        assert (given["camera_namespace"], given["camera_name"]) == ("camera", "front")
        assert given["serial_no"] == "'_123'"
        depth = "/camera/front/aligned_depth_to_color/image_raw/compressedDepth"
        assert subscribed(
            rig.node,
            run,
            ("/camera/front/color/image_raw", depth, "/camera/front/color/camera_info"),
        ) == {
            "/camera/front/color/image_raw": IMAGE,
            depth: SMALL,
            "/camera/front/color/camera_info": "sensor_msgs/msg/CameraInfo",
        }


def test_orbbec_starts_the_driver_of_its_camera_and_rviz_in_the_namespace(
    request, domain, rig, prefix
):
    notes = prefix.driver("orbbec_camera", "gemini2.launch.py")
    rviz, bridge = prefix.program("rviz2"), prefix.program("foxglove_bridge")
    arguments = ("camera:=gemini2", "rviz:=true", "rviz_frame:=odom", "foxglove:=true")
    arguments += ("namespace:=robot", "markers:=/robot/cad")
    with launched(request, domain, prefix, "orbbec.launch.py", *COMPOSED, *arguments) as run:
        given = noted(notes)
        assert (given["depth_registration"], given["camera_name"]) == ("true", "camera")
        started = noted(rviz)
        config = request.config.rootpath / "launch" / "roomcad.rviz"
        assert started[started.index("-d") + 1] == str(config)
        assert started[started.index("-f") + 1] == "odom"
        assert {"__ns:=/robot", "markers:=/robot/cad"} <= set(started)
        noted(bridge)
        topics = ("/camera/color/image_raw", "/camera/depth/image_raw", "/camera/color/camera_info")
        assert subscribed(rig.node, run, topics)["/camera/depth/image_raw"] == IMAGE
        assert rig.node.count_publishers("/robot/cad") == 1


def test_azure_names_need_no_driver(request, domain, rig, prefix):
    arguments = ("names:=azure", "driver:=false", "color_transport:=compressed")
    with launched(request, domain, prefix, "orbbec.launch.py", *COMPOSED, *arguments) as run:
        topics = ("/rgb/image_raw/compressed", "/depth_to_rgb/image_raw", "/rgb/camera_info")
        assert subscribed(rig.node, run, topics)["/rgb/image_raw/compressed"] == SMALL


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("realsense.launch.py", (), "realsense2_camera is not installed.*driver:=false"),
        ("orbbec.launch.py", (), "orbbec_camera is not installed.*driver:=false"),
        ("orbbec.launch.py", ("names:=azure",), "azure_kinect_ros_driver is not installed"),
        ("orbbec.launch.py", ("names:=kinect",), "names: got 'kinect', expected.*orbbec, azure"),
    ],
)
def test_a_missing_driver_or_a_wrong_name_is_said(request, domain, prefix, name, arguments, says):
    with launched(request, domain, prefix, name, *COMPOSED, *arguments) as run:
        out, _ = run.communicate(timeout=90)
    assert re.search(says, out), out
    assert run.returncode != 0


@pytest.mark.parametrize("name", ["realsense.launch.py", "orbbec.launch.py", "replay.launch.py"])
def test_arguments_of_the_included_file_are_described_too(request, domain, prefix, name):
    with launched(request, domain, prefix, name, "--show-args") as run:
        out, _ = run.communicate(timeout=90)
    assert run.returncode == 0, out
    for argument in ("color", "depth_transport", "rviz_frame", "foxglove", "composition"):
        assert f"'{argument}'" in out
    assert "no description given" not in out
