"""The command roomcad-offline: sub-commands, exit status, and the bag it writes."""

import os
from pathlib import Path

import numpy as np
import pytest

from roomcad_core.camera import unproject
from roomcad_core.datasets import open_dataset
from roomcad_core.pictures import encode_picture
from roomcad_core.pose import rigid, transform
from roomcad_offline.cli import main

K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


@pytest.fixture
def sequence(tmp_path):
    """Six frames in a ScanNet-style folder."""
    folder = tmp_path / "scene"
    for part in ("color", "depth", "pose", "intrinsic"):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(2)
    for i in range(6):
        depth = rng.integers(0, 5000, (48, 64), np.uint16)
        color = rng.integers(0, 256, (48, 64, 3), np.uint8)
        (folder / f"depth/{i}.png").write_bytes(encode_picture(".png", depth))
        (folder / f"color/{i}.png").write_bytes(encode_picture(".png", color))
        np.savetxt(folder / f"pose/{i}.txt", rigid(UPRIGHT, (i, 0, 1)))
    np.savetxt(folder / "intrinsic/intrinsic_depth.txt", K)
    return folder


def test_bag_command_writes_the_chosen_frames_at_the_chosen_speed(sequence, tmp_path, capsys):
    out = tmp_path / "out.mcap"
    assert main(["bag", str(sequence), str(out), "--frames", "1:5:2", "--speed", "2"]) == 0
    assert "2 of 2 frames" in capsys.readouterr().out
    source, dataset = open_dataset(sequence), open_dataset(out)
    assert len(dataset) == 2 and dataset.fps == pytest.approx(30)  # every second frame, twice fast
    np.testing.assert_array_equal(dataset[1].color, source[3].color)
    np.testing.assert_allclose(dataset[1].T_world_cam, source[3].T_world_cam, atol=1e-12)


def test_existing_output_needs_overwrite(sequence, tmp_path, capsys):
    command = ["bag", str(sequence), str(tmp_path / "out.db3")]
    assert main(command) == 0
    assert main(command) == 1
    assert "out.db3: exists already" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_bad_input_gives_status_1_names_the_file_and_leaves_no_bag(sequence, tmp_path, capsys):
    (sequence / "depth/3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    out = tmp_path / "out.mcap"
    assert main(["bag", str(sequence), str(out)]) == 1
    assert "depth/3.png: truncated PNG" in capsys.readouterr().err
    assert {p.name for p in tmp_path.iterdir()} == {"scene"}
    assert main(["bag", str(sequence), str(out), "--bad", "skip"]) == 0
    assert len(open_dataset(out)) == 5


def test_absent_input_gives_status_1(tmp_path, capsys):
    assert main(["bag", str(tmp_path / "absent"), str(tmp_path / "out.mcap")]) == 1
    assert "absent: no such file" in capsys.readouterr().err


@pytest.mark.parametrize("frames", ["3", "a:b", "-1:2", "0:4:0"])
def test_wrong_frame_range_is_a_usage_error(sequence, tmp_path, frames):
    with pytest.raises(SystemExit) as stop:
        main(["bag", str(sequence), str(tmp_path / "o.mcap"), f"--frames={frames}"])
    assert stop.value.code == 2


def test_real_y_up_sequence_gets_a_level_floor_through_a_bag(tmp_path):
    data = Path(os.environ.get("ROOMCAD_DATA", Path(__file__).parents[3] / "shared/data"))
    lounge = data / "hololens_lounge"
    if not lounge.is_dir():
        pytest.skip(f"{lounge} is absent; set ROOMCAD_DATA to the folder that holds it")
    out = tmp_path / "lounge.mcap"
    assert main(["bag", str(lounge), str(out), "--frames", "0:190:10"]) == 0
    points = []
    for frame in open_dataset(out):
        cam = unproject(frame.depth, frame.K)[frame.depth > 0][::20]
        points.append(transform(frame.T_world_cam, cam))
    points = np.concatenate(points)
    counts, edges = np.histogram(points[:, 2], np.arange(-2, -1, 0.05))
    floor = points[np.abs(points[:, 2] - edges[counts.argmax()] - 0.025) < 0.075]
    plane = np.linalg.lstsq(np.c_[floor[:, :2], np.ones(len(floor))], floor[:, 2], rcond=None)[0]
    assert np.ptp(floor[:, :2], axis=0).min() > 4  # it is the floor, metres wide
    assert np.degrees(np.hypot(*plane[:2])) < 0.5
    assert floor[:, 2].std() < 0.03
