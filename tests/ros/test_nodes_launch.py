"""The launch files, run by `ros2 launch`: official or the stand-in."""

import os
import shutil
import signal
import subprocess

import pytest

from roomcad_core.bags.results import read_room
from roomcad_ros.definitions import type_store

pytestmark = pytest.mark.skipif(shutil.which("ros2") is None, reason="no ros2 command here")


def launch(request, domain, name, *arguments):
    """(exit code, output) of a launch file of this repository."""
    process = subprocess.Popen(
        ["ros2", "launch", str(request.config.rootpath / "launch" / name), *arguments],
        env=os.environ | {"ROS_DOMAIN_ID": str(domain)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=90)[0], process.returncode
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_every_argument_is_described(request, domain):
    out, code = launch(request, domain, "perception.launch.py", "--show-args")
    assert code == 0
    for argument in (
        "use_sim_time",
        "params_file",
        "rviz",
        "namespace",
        "log_level",
        "model",
        "aligner",
        "detector",
        "engine",
        "tracks",
    ):
        assert f"'{argument}'" in out
    assert "no description given" not in out


@pytest.mark.parametrize("composition", ["false", "true"])
def test_a_replayed_sequence_ends_as_recorded_alignments(
    request, domain, tmp_path, sequence, composition
):
    rosbag2 = pytest.importorskip("rosbags.rosbag2")
    pytest.importorskip("open3d")
    params = tmp_path / "params.yaml"
    few = "tracks.confirm: 1"  # there are three frames
    params.write_text(f"/**: {{ros__parameters: {{{few}}}}}\n")
    arguments = {
        "sequence": sequence.path,
        "params_file": params,
        "record": tmp_path / "bag",
        "composition": composition,
        "model": "box_size",
        "aligner": "icp",
        "speed": 0.03,
        "tracks": composition,
    }
    given = [f"{name}:={value}" for name, value in arguments.items()]
    out, _ = launch(request, domain, "replay.launch.py", *given)
    assert "3 of 3 frames" in out, out
    assert "Traceback" not in out, out
    with rosbag2.Reader(tmp_path / "bag") as bag:
        found = {}
        for connection, _, data in bag.messages():
            store = type_store(connection.msgtype)
            message = store.deserialize_cdr(data, connection.msgtype)
            found.setdefault(connection.topic, []).append(message)
    assert len(found.get("/alignments", ())) >= 2, out
    assert len(found["/camera/color/camera_info"]) == 3
    assert found["/markers"][-1].markers[0].header.frame_id == "map"
    assert len(found["/classes"]) == 1
    followed = composition == "true"
    assert ("/room" in found) == followed and (read_room(tmp_path / "bag") is not None) == followed
