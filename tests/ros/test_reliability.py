"""The three nodes as processes of their own, on a robot's bad days: they live, serve, and count."""

import importlib.util
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import QoSProfile
from roomcad_msgs.msg import CadAlignmentArray, ObjectArray
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from roomcad_ros.stack import Stack

SPEC = importlib.util.spec_from_file_location("fuzzer", Path(__file__).parent / "fuzzer.py")
fuzzer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzzer)

pytest.importorskip("open3d")

NODES = ("segment", "classify", "align")
PATIENCE = 60.0  # [s] for processes that start on a machine under load
LOSSLESS = QoSProfile(depth=2000)
PARAMETERS = {
    "classify.model": "box_size",  # no weights needed
    "align.aligner": "icp",
    "align.n_candidates": 1,
    "align.n_classes": 1,
    "align.n_refined": 1,
    "tracks.enabled": True,
    "tracks.confirm": 1,
    "tracks.sigma_high": 0.0,
    "tracks.sigma_low": 0.0,
    "tf_timeout": 0.0,
    "diagnostics_period": 0.1,
    # Every message is to arrive, so that all can be accounted for.
    **{
        f"qos_overrides./{topic}.subscription.{name}": value
        for topic in ("color/image_raw", "depth/image_raw", "camera_info", "objects", "classified")
        for name, value in (("reliability", "reliable"), ("depth", 2000))
    },
}
# Reasons that the fuzzer's changes must bring up between them.
EXPECTED = {
    "odd_stamp", "wrong_encoding", "bad_size", "short_data", "sizes_differ", "bad_intrinsics",
    "no_frame_id", "bad_objects",
}  # fmt: skip


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """The nodes, in a DDS domain of their own; what they print is shown where a test fails."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "params.yaml").write_text(yaml.safe_dump({"/**": {"ros__parameters": PARAMETERS}}))
    domain = 1 + (os.getpid() * 7 + 50) % 100
    arguments = {"params_file": folder / "params.yaml", "respawn": "true"}
    with Stack(arguments, {"ROS_DOMAIN_ID": str(domain)}, folder / "log.txt") as running:
        running.domain, running.log, running.stamp = domain, folder / "log.txt", 1_000_000
        yield running


@pytest.fixture
def domain(stack):
    return stack.domain


class Robot:
    """The rest of the robot: sends what is asked, hears what the nodes say."""

    def __init__(self, rig, stack, frame):
        self.rig, self.stack, self.frame = rig, stack, frame
        node = rig.node
        for name, kind, topic in (
            ("color", Image, "color/image_raw"),
            ("depth", Image, "depth/image_raw"),
            ("info", CameraInfo, "camera_info"),
            ("objects", ObjectArray, "objects"),
            ("classified", ObjectArray, "classified"),
            ("tf", TFMessage, "/tf"),
        ):
            setattr(rig, name, node.create_publisher(kind, topic, LOSSLESS))
        self.found = rig.collect(CadAlignmentArray, "alignments")
        self.markers = rig.collect(MarkerArray, "markers", latched=True)
        self.reports = rig.collect(DiagnosticArray, "/diagnostics")
        rig.spin(lambda: True, node)
        self.wait(self.complete, "the nodes")

    def wait(self, until, why):
        """As Rig.wait, for processes that start."""
        end = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < end, f"{why}: {self.stack.log.read_text()[-3000:]}"
            self.rig.pause(0.05)

    def complete(self):
        """Whether all nodes live and listen."""
        listeners = {"/color/image_raw": 2, "/camera_info": 2, "/objects": 1, "/classified": 1}
        count = self.rig.node.count_subscribers
        return len(self.stack.pids()) == 3 and all(count(t) == n for t, n in listeners.items())

    def serves(self):
        """Send good frames until alignments of one come back."""
        self.wait(self.complete, "the nodes")
        first = self.stack.stamp = self.stack.stamp + 1
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.stack.stamp += 1
            self.rig.send_pose(self.frame, self.stack.stamp)
            self.rig.send(self.frame, self.stack.stamp)
            self.rig.pause(0.15)
            if self.answered(first):
                return
        raise AssertionError(f"nothing served: {self.stack.log.read_text()[-3000:]}")

    def answered(self, first):
        """Whether alignments of a frame came, of those sent from stamp `first` on."""
        sent = range(first, self.stack.stamp + 1)
        return any(m.header.stamp.sec in sent and m.alignments for m in self.found[-3:])

    def counts(self, node):
        """{what: number} that a node reported last."""
        for report in reversed(self.reports):
            for status in report.status:
                if status.name == f"/{node}":
                    return {v.key: float(v.value) for v in status.values if v.value.isdigit()}
        return {}

    def drops(self, node):
        """{reason: frames} of a node."""
        found = self.counts(node).items()
        return {k.removeprefix("dropped: "): int(n) for k, n in found if k.startswith("dropped")}

    def ask(self, kind, service, **fields):
        """Answer of a service of a node."""
        client = self.rig.node.create_client(kind, service)
        self.wait(client.service_is_ready, service)
        answer = client.call_async(kind.Request(**fields))
        self.wait(answer.done, service)
        self.rig.node.destroy_client(client)
        return answer.result()


@pytest.fixture
def robot(rig, stack, frame):
    robot = Robot(rig, stack, frame)
    robot.serves()
    return robot


def accounted(robot):
    """Sets of camera messages that segment served or dropped, and odd stamps it dropped."""
    counts, drops = robot.counts("segment"), robot.drops("segment")
    odd = drops.pop("odd_stamp", 0)
    return int(counts.get("frames served", 0)) + sum(drops.values()), odd


def settled(robot):
    """accounted(), once six reports in a row agree."""
    agreed, last, seen = 0, None, len(robot.reports)
    while agreed < 6:
        robot.wait(lambda n=seen: len(robot.reports) > n, "a report")
        told = [s.name for r in robot.reports[seen:] for s in r.status].count("/segment")
        seen, now = len(robot.reports), accounted(robot)
        agreed = agreed + told if now == last else 0
        last = now
    return last


def test_5000_bad_messages_are_counted_and_the_nodes_serve_after_each_thousand(robot):
    fuzz = fuzzer.Fuzzer(np.random.default_rng(0), robot.frame)
    pids, rig, sent = robot.stack.pids(), robot.rig, 0
    robot.wait(lambda: robot.counts("segment"), "diagnostics")
    segmentation = segmented(robot.frame)
    for _ in range(5):
        before, paired, odd = settled(robot), 0, 0
        for shot in range(250):
            robot.stack.stamp += 1
            camera = fuzz.camera(robot.stack.stamp)
            for name, message in camera.messages.items():
                getattr(rig, name).publish(message)
            paired, odd, sent = paired + camera.paired, odd + camera.odd, sent + 3
            if shot % 2:
                topic = rig.objects if shot % 4 == 1 else rig.classified
                topic.publish(fuzz.objects(segmentation, robot.stack.stamp))
                rig.tf.publish(fuzz.transforms(robot.stack.stamp))
                sent += 2
            time.sleep(0.003)
            if shot % 25 == 0:
                rig.pause(0.01)  # hears diagnostics meanwhile
        # None is lost without a word: each set was served or dropped, each odd stamp dropped.
        expected = before[0] + paired, before[1] + odd
        text = f"{before} and {(paired, odd)}"
        robot.wait(lambda expected=expected: accounted(robot) == expected, text)
        for _ in range(10):
            raw = fuzz.cut(robot.reports[-1] if sent % 2 else camera.messages["depth"])
            for topic in (rig.color, rig.depth, rig.info, rig.objects, rig.classified, rig.tf):
                topic.publish(raw)
                sent += 1
        robot.serves()
        assert robot.stack.pids() == pids
    assert sent >= 5000
    reasons = set().union(*(robot.drops(node) for node in NODES))
    assert reasons >= EXPECTED and "failed" not in reasons


def segmented(frame):
    from roomcad_core.gravity import gravity_frame
    from roomcad_core.types import Object, Segmentation

    points = np.random.default_rng(1).normal(size=(200, 3)).astype(np.float32)
    box = np.array([60, 30, 100, 90], np.float32)
    obj = Object(1, box, points, "chair", 0.9, {"chair": 0.9}, ())
    return Segmentation(frame.instances, (obj,), gravity_frame([0, -1, 0]), -1.3)


@pytest.mark.parametrize("killed", NODES)
def test_a_killed_node_comes_back_and_the_stack_serves_again(robot, killed):
    before = robot.stack.pids()
    os.kill(before[killed], signal.SIGKILL)
    robot.wait(lambda: robot.stack.pids().get(killed, before[killed]) != before[killed], killed)
    robot.serves()
    after = robot.stack.pids()
    assert {n for n in NODES if after[n] != before[n]} == {killed}
    assert robot.markers[-1].markers


def test_a_clock_that_jumps_back_is_followed_by_all_nodes(robot):
    pids = robot.stack.pids()
    robot.stack.stamp -= 500_000
    robot.serves()
    assert robot.stack.pids() == pids

    def warned():
        return all(robot.counts(node).get("warned: clock_went_back") for node in NODES)

    robot.wait(warned, "a warning of each node")


BAD_TF = {
    "none": None,
    "stamps of long ago": {"stamp": 10},
    "stamps far ahead": {"stamp": 2_000_000_000},
    "not a number": {"T_world_cam": np.full((4, 4), np.nan)},
    "in a tree of its own": {"parent": "moon"},
}


@pytest.mark.parametrize("tf", BAD_TF.values(), ids=BAD_TF.keys())
def test_without_a_usable_transform_frames_are_served_from_the_floor(robot, tf):
    # A clock that was set makes the nodes forget the transforms of before.
    robot.stack.stamp -= 1000
    robot.serves()
    robot.stack.stamp += 100  # farther than TF is kept
    before = robot.counts("align").get("warned: no_tf", 0)
    first = robot.stack.stamp + 1

    def served():
        robot.stack.stamp += 1
        if tf is not None:
            robot.rig.send_pose(robot.frame, **{"stamp": robot.stack.stamp} | tf)
        robot.rig.send(robot.frame, robot.stack.stamp)
        robot.rig.pause(0.2)
        return robot.answered(first)

    robot.wait(served, "a frame without its transform")
    robot.wait(lambda: robot.counts("align").get("warned: no_tf", 0) > before, "its warning")


def test_life_cycle_transitions_at_any_time_leave_a_stack_that_serves(robot):
    rng = np.random.default_rng(0)
    pids = robot.stack.pids()
    transitions = (
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_ACTIVATE,
        Transition.TRANSITION_DEACTIVATE,
        Transition.TRANSITION_CLEANUP,
    )
    for _ in range(24):  # under load, most of them impossible from where the node is
        robot.stack.stamp += 1
        robot.rig.send(robot.frame, robot.stack.stamp)
        node = NODES[rng.integers(3)]
        wanted = Transition(id=int(rng.choice(transitions)))
        robot.ask(ChangeState, f"/{node}/change_state", transition=wanted)
    for node in NODES:
        state = robot.ask(GetState, f"/{node}/get_state").current_state.id
        steps = transitions[:2] if state == State.PRIMARY_STATE_UNCONFIGURED else transitions[1:2]
        for step in steps if state != State.PRIMARY_STATE_ACTIVE else ():
            wanted = Transition(id=step)
            assert robot.ask(ChangeState, f"/{node}/change_state", transition=wanted).success
    robot.serves()
    assert robot.stack.pids() == pids


def test_parameters_change_while_frames_come_and_wrong_ones_are_refused(robot):
    def change(node, name, value):
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        parameters = [Parameter(name=name, value=value)]
        answer = robot.ask(SetParameters, f"/{node}/set_parameters", parameters=parameters)
        return answer.results[0].successful

    pids = robot.stack.pids()
    for step in range(6):
        robot.stack.stamp += 1
        robot.rig.send(robot.frame, robot.stack.stamp)
        assert change("segment", "segment.max_depth", 4.0 + step)
        assert change("align", "tracks.drop", 0.1 + 0.01 * step)
        assert change("align", "max_age", 3.0 + step)
        assert not change("segment", "segment.max_depth", 400.0)
        assert not change("align", "tracks.sigma_low", 0.9)
    robot.serves()
    assert robot.stack.pids() == pids
