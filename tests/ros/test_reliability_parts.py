"""What reliability is made of, one part at a time."""

import time

import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from roomcad_msgs.msg import ObjectArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from roomcad_core.gravity import gravity_frame
from roomcad_core.types import Segmentation
from roomcad_ros import images
from roomcad_ros.classify_node import ClassifyNode
from roomcad_ros.health import BadFrame
from roomcad_ros.segment_node import SegmentNode
from roomcad_ros.soak_report import delay_figures, memory_figures
from roomcad_ros.stamps import JUMP, ODD, OK, Stamps, stamp_of

BY_SIZE = [Parameter("classify.model", value="box_size"), Parameter("autostart", value=False)]


def segment_nothing(frame):
    return Segmentation(frame.depth.astype(np.uint16), (), gravity_frame([0, -1, 0]), None)


def judged(*stamps):
    order = Stamps()
    return [order.judge(stamp, 0.5, 60.0) for stamp in stamps]


def test_one_stamp_out_of_line_is_odd_whichever_way_and_changes_nothing():
    assert judged(1, 2, 1e9, 3, 4) == [OK, OK, ODD, OK, OK]
    assert judged(100, 101, 2, 102, 103) == [OK, OK, ODD, OK, OK]
    assert judged(1, 2, None, 3) == [OK, OK, ODD, OK]
    # Thrice, but never twice in a row: these are no clock.
    assert judged(100, 5, 101, 5.1, 102, 5.2) == [OK, ODD, OK, ODD, OK, ODD]


def test_a_second_stamp_of_a_new_time_is_believed():
    assert judged(100, 101, 5, 5.1, 5.2) == [OK, OK, ODD, JUMP, OK]
    assert judged(1, 2, 5000, 5000.1, 5000.2) == [OK, OK, ODD, OK, OK]  # later is no jump back
    assert judged(1e9, 5, 6, 7) == [OK, ODD, JUMP, OK]  # the first of all was the wrong one


def test_after_a_stamp_some_seconds_ahead_the_others_go_on():
    assert judged(1, 2, 30, 3, 4, 5) == [OK] * 6


def test_late_by_less_than_the_limit_is_no_jump():
    assert judged(10, 10.4, 10.1, 10.5) == [OK] * 4


def test_times_that_no_clock_shows_are_no_stamps():
    message = Image()
    message.header.stamp.sec, message.header.stamp.nanosec = 3, 500_000_000
    assert stamp_of(message) == 3.5
    message.header.stamp.nanosec = 1_000_000_000
    assert stamp_of(message) is None
    message.header.stamp.sec, message.header.stamp.nanosec = -1, 0
    assert stamp_of(message) is None


@pytest.mark.parametrize("model", ["plumb_bob", "equidistant"])
def test_a_wrong_number_of_lens_coefficients_is_a_bad_frame(model):
    info = images.info_msg(np.eye(3) * 50, (12, 16), Header(frame_id="camera"))
    info.d, info.distortion_model = [0.1] * 3, model
    color = images.image_msg(np.zeros((12, 16, 3), np.uint8), "rgb8", Header())
    depth = images.depth_msg(np.ones((12, 16), np.float32), Header())
    with pytest.raises(BadFrame, match="got 3 values of distortion"):
        images.frame_from_images(color, depth, info)


def test_an_activation_that_fails_can_be_tried_again(rig, frame, monkeypatch):
    node = SegmentNode(segment_nothing, parameter_overrides=BY_SIZE)
    node.trigger_configure()
    open_inputs, heard = node.open_inputs, len(list(node.subscriptions))
    monkeypatch.setattr(node, "open_inputs", lambda: open_inputs() and 1 / 0)
    assert node.trigger_activate() == TransitionCallbackReturn.FAILURE
    monkeypatch.setattr(node, "open_inputs", open_inputs)
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    rig.send_until(frame, objects, 101)
    node.trigger_deactivate()
    assert len(list(node.subscriptions)) >= heard


def test_new_settings_keep_what_they_leave_alone(spin):
    node = ClassifyNode(parameter_overrides=BY_SIZE)
    node.trigger_configure()
    before = node.stage
    (result,) = node.set_parameters([Parameter("classify.min_score", value=0.4)])
    assert result.successful
    node._serve(None)  # any item, even a bad one, comes after the change
    assert node.stage is not before and node.stage._config.min_score == 0.4
    assert node.stage._views is before._views  # of the whole library: seconds
    node.destroy_node()


def test_settings_that_cannot_be_used_leave_the_stage_as_it_was(spin, monkeypatch):
    node = SegmentNode(parameter_overrides=BY_SIZE)
    node.trigger_configure()
    before = node.stage

    def fails():
        raise FileNotFoundError("no such model")

    monkeypatch.setattr(node, "make_stage", fails)
    node.set_parameters([Parameter("segment.max_depth", value=3.0)])
    node._serve(None)
    assert node.stage is before and node.health.warnings["settings_not_taken"] == 1
    node.destroy_node()


def test_a_camera_six_times_too_fast_is_served_with_its_newest_frames(rig, frame):
    def slow(f):
        time.sleep(0.2)
        return segment_nothing(f)

    node = SegmentNode(slow).start()
    arrived, late, put, process = [0], [], node.put, node.process

    def stamp_of_item(item):
        return item[0][-1].header.stamp.sec

    def noting(item):
        late.append(arrived[-1] - stamp_of_item(item))  # frames that came before its turn
        process(item)

    node.process = noting
    node._frames._put = lambda item: arrived.append(stamp_of_item(item)) or put(item)
    rig.connect(node)
    for stamp in range(101, 161):
        rig.send(frame, stamp)
        rig.pause(1 / 30)
    rig.wait(lambda: node.health.values()["frames served"] == str(len(late)), "the last one")
    assert max(late) <= 1 and len(late) < 30
    waiting = len(arrived) - 1 - len(late) - node.health.dropped["newer_frame"]
    assert waiting in (0, 1)


def test_limits_of_the_inputs_change_at_once(rig, frame):
    node = SegmentNode(segment_nothing).start()
    rig.connect(node)
    now = node.get_clock().now().nanoseconds * 1e-9
    (result,) = node.set_parameters([Parameter("max_age", value=50.0)])
    assert result.successful
    rig.send(frame, now - 20)
    rig.wait(lambda: node.health.values()["frames served"] == "1", "the frame")
    (result,) = node.set_parameters([Parameter("max_age", value=2.0)])
    rig.send(frame, now - 10)
    rig.wait(lambda: node.health.dropped["too_old"], "the drop")


def test_soak_figures_are_slopes_over_the_run_without_its_start():
    when = np.arange(0, 3600, 10.0)
    samples = [{"seconds": t, "mb": {"align": 100 + 6 * t / 3600 + 500 * (t < 300)}} for t in when]
    align = memory_figures(samples)["align"]
    assert align["slope_per_hour"] == pytest.approx(6.0)
    delay = delay_figures(np.stack([when, 0.1 + 0.02 * when / 3600], axis=1))
    assert delay["drift_per_hour"] == pytest.approx(20.0)
    assert (delay["median"], delay["max"]) == pytest.approx((112.5, 119.9), abs=0.1)
