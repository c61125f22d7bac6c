"""Bad input to `roomcad-offline real evaluate`: an error that names it, or a counted skip."""

import json
import logging
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from box_scan import parts, write_json, write_ply, write_scan

from roomcad_core.datasets.annotations import FILE as ANNOTATIONS
from roomcad_offline.cli import main
from roomcad_offline.scannet.categories import by_name

K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
SIZE = (48, 64)
# A camera 1 m above the floor that looks along the world's x.
T_WORLD_CAM = np.array([[0, 0, 1.0, 0], [-1, 0, 0, 0], [0, -1, 0, 1], [0, 0, 0, 1]])
CHAIR, WALL = (by_name(name).scannet_id for name in ("chair", "wall"))
NOBODYS = 54321  # a label that no list of ScanNet has


@pytest.fixture
def write_labelled(write_recording):
    """write_labelled(folder, frames): a chair 2 m away, right of it a thing, around them a wall."""

    def write(folder, frames=2):
        depth = np.full(SIZE, 2.5, np.float32)
        depth[15:40, 8:56] = 2.0
        write_recording(folder, K, [depth] * frames)
        labels = np.full(SIZE, WALL)
        labels[15:40, 8:32], labels[15:40, 36:56] = CHAIR, NOBODYS
        ids = np.select([labels == CHAIR, labels == NOBODYS], [1, 2], 3)
        for name, image in (("instance-filt", ids), ("label-filt", labels)):
            (folder / name).mkdir()
            for i in range(frames):
                cv2.imwrite(str(folder / name / f"{i}.png"), image.astype(np.uint16))
        for i in range(frames):
            np.savetxt(folder / "pose" / f"{i}.txt", T_WORLD_CAM)
        return folder

    return write


@pytest.fixture
def evaluate(tmp_path, capsys, caplog):
    """evaluate(*arguments): exit status, and all that the command said."""
    caplog.set_level(logging.WARNING)

    def run(*arguments):
        out = str(tmp_path / "out")
        status = main(["real", "evaluate", *map(str, arguments), "--out", out, "--no-pictures"])
        return status, capsys.readouterr().err + caplog.text

    return run


@pytest.fixture
def no_robot(monkeypatch):
    """A robot that must not be needed: what is wrong shows before anything is predicted."""
    from roomcad_core import pipeline

    monkeypatch.setattr(pipeline, "Pipeline", lambda config: SimpleNamespace())


def error_of(result, *patterns):
    """Check that a run ended with status 1 and a message that says all of `patterns`."""
    status, text = result
    assert status == 1
    (message,) = re.findall(r"roomcad-offline: error: (.*)", text)
    for pattern in patterns:
        assert re.search(pattern, message), message


def test_a_folder_with_no_room(evaluate, tmp_path, no_robot):
    (tmp_path / "rooms" / "empty").mkdir(parents=True)
    error_of(evaluate(tmp_path / "rooms"), "rooms: no room with truth here or below")
    error_of(evaluate(tmp_path / "absent"), "absent: no such folder")


def test_frames_without_truth_are_left_out_and_named(evaluate, tmp_path, write_recording, no_robot):
    write_recording(tmp_path / "rooms/scene0000_00", K, [np.ones(SIZE, np.float32)])
    result = evaluate(tmp_path / "rooms")
    error_of(result, "no room with truth")
    assert "scene0000_00: left out: frames without truth. Looked for instance-filt/" in result[1]


def test_the_same_room_twice(evaluate, tmp_path, write_labelled, no_robot):
    folder = write_labelled(tmp_path / "a/scene0000_00")
    error_of(evaluate(folder, tmp_path / "a"), "scene0000_00: found more than once")
    write_labelled(tmp_path / "b/scene0000_00")
    error_of(evaluate(tmp_path), "scene0000_00: found more than once")


@pytest.mark.parametrize("every", ["0", "-1"])
def test_every_must_be_at_least_one(evaluate, tmp_path, every, no_robot):
    error_of(evaluate(tmp_path, "--every", every), f"--every: got {every}, expected at least 1")


def test_a_scan_without_colours(evaluate, tmp_path, no_robot):
    folder = tmp_path / "scene0000_00"
    write_scan(folder)
    mesh = parts()[0][1]
    write_ply(folder / "scene0000_00_vh_clean_2.ply", mesh.vertices, mesh.faces)
    error_of(evaluate(folder), r"scene0000_00_vh_clean_2\.ply: red, green, blue: .*no colours")


def test_segments_of_another_mesh(evaluate, tmp_path, no_robot):
    folder = tmp_path / "scene0000_00"
    write_scan(folder)
    write_json(folder / "scene0000_00_vh_clean_2.0.010000.segs.json", {"segIndices": [3, 13]})
    error_of(evaluate(folder), r"segs\.json: segIndices: got 2, expected \d+ as vertices")


def test_a_scan_that_no_camera_can_stand_in_is_left_out_and_named(evaluate, tmp_path, no_robot):
    write_scan(tmp_path / "scene0000_00", things=parts()[:1])  # a floor, nothing to look at
    result = evaluate(tmp_path)
    error_of(result, "no room with truth")
    assert "scene0000_00: left out: " in result[1]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("boxes.json", '{"boxes": []}', r"boxes\.json: axis_align: missing"),
        ("scene0000_00.txt", "axisAlignment = 1 2", r"scene0000_00\.txt: axisAlignment: got 2 num"),
        (ANNOTATIONS, "[{", r"full_annotations\.json: not readable as JSON"),
        (ANNOTATIONS, '[{"id_scan": "scene0000_00"}]', r"scan scene0000_00: field 'trs' is miss"),
    ],
)
def test_damaged_files_of_a_recording_show_before_anything_is_predicted(
    evaluate, tmp_path, write_labelled, no_robot, file, content, message
):
    folder = write_labelled(tmp_path / "scene0000_00")
    (folder / file).write_text(content)
    error_of(evaluate(folder), message)
    assert not (tmp_path / "out/predictions").exists()


def test_what_cannot_be_judged_is_named_and_counted(evaluate, tmp_path, write_labelled):
    """Five frames: whole, without pose, without label image, without any depth, damaged."""
    folder = write_labelled(tmp_path / "scene0000_00", 5)
    np.savetxt(folder / "pose/1.txt", np.full((4, 4), -np.inf))
    (folder / "label-filt/2.png").unlink()
    cv2.imwrite(str(folder / "depth/3.png"), np.zeros(SIZE, np.uint16))
    (folder / "depth/4.png").write_bytes(b"nonsense")
    flat = {"label": "sofa", "box": [2, 0, 1, 1, 0, 1], "id": 4}
    chair = {"label": "chair", "box": [2, 0.4, 0.9, 0.2, 0.8, 0.9], "id": 1}
    boxes = {"axis_align": np.eye(4).tolist(), "boxes": [flat, chair]}
    (folder / "boxes.json").write_text(json.dumps(boxes))
    status, text = evaluate(folder)
    assert status == 0
    for message in (
        r"1 of 5 frames have no pose \(tracking lost\), the first is pose/1\.txt",
        r"scene0000_00/2: without truth: .*label-filt/2\.png: no such file",
        r"skipped: .*depth/4\.png",
        rf"category 'ScanNet id {NOBODYS}' is not in categories\.csv: taken for unknown",
        r"boxes\.json: 1 boxes without extent left out: sofa \(id 4\)",
    ):
        assert re.search(message, text), message
    room = json.loads((tmp_path / "out/real.json").read_text())["kinds"]["recording"]
    assert (room["frames"]["frames"], room["frames"]["without_truth"]) == (3, 1)
    assert room["by_room"]["scene0000_00"]["true_boxes"] == 1
    assert room["frames"]["recall_0.5"]["counts"][1] == 2  # the chair; nothing without a depth
    assert room["cads"] is None
