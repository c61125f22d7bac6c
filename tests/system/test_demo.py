"""The demo from end to end on a small simulated room: bag, live nodes, replay, record, report."""

import json

import numpy as np
import pytest

from roomcad_core import config
from roomcad_core.bags.results import read_room
from roomcad_core.room_file import read_objects
from roomcad_core.tracks import Follower
from roomcad_offline import cli, demo
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.make import make_rooms


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    config = RoomConfig(frames=24, seed=4, fps=4.0, width=320, height=240)
    (folder,), _ = make_rooms(config, tmp_path_factory.mktemp("rooms"))
    return folder


def test_the_demo_leaves_table_pictures_and_result_bag(room, tmp_path, monkeypatch, capsys):
    pytest.importorskip("rclpy", reason="the demo runs the live nodes; run `make setup`")
    monkeypatch.setenv("ROS_DOMAIN_ID", "87")
    assert demo.main(["--sequence", str(room), "--out", str(tmp_path)]) == 0
    assert "objects found" in (tmp_path / "table.md").read_text()
    check_room(tmp_path)
    for name in ("overlays.png", "top_view.png", "animation.gif", "result.mcap/metadata.yaml"):
        assert (tmp_path / name).stat().st_size > 100
    assert {"bag", "live nodes", "report"} <= json.loads(
        (tmp_path / "times.json").read_text()
    ).keys()
    assert "within 20 cm" in capsys.readouterr().out


def check_room(out):
    """objects.json is the room as the nodes knew it last, which the bag holds."""
    room, world = read_room(out / "result.mcap")
    found = read_objects(out / "objects.json")
    assert world == "map" and found
    assert [(p.id, p.label, p.cad_id, p.symmetry) for p in found] == [
        (p.id, p.label, p.cad_id, p.symmetry) for p in room
    ]
    for a, b in zip(found, room, strict=True):
        np.testing.assert_allclose(a.T_world_obj, b.T_world_obj, atol=1e-4)
        np.testing.assert_allclose(a.S, b.S, atol=1e-3)


def test_in_one_process_the_room_is_what_its_tracks_are(room, tmp_path, monkeypatch):
    rooms = []
    monkeypatch.setattr(
        Follower, "room", lambda self, real=Follower.room: rooms.append(real(self)) or rooms[-1]
    )
    assert cli.main(["run", str(room), str(tmp_path)]) == 0
    found = read_objects(tmp_path / "objects.json")
    assert found and [p.id for p in found] == [p.id for p in rooms[-1]]
    assert len({p.id for p in found}) == len(found)
    assert "objects found" in (tmp_path / "table.md").read_text()
    assert config.load(tmp_path / "config.yaml") == config.PipelineConfig()


def test_a_sequence_that_is_not_there_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        demo.main(["--sequence", str(tmp_path / "gone"), "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert "gone: no such file or folder" in capsys.readouterr().err


def test_a_folder_without_a_dataset_ends_with_its_name_and_no_traceback(tmp_path, capfd):
    (tmp_path / "empty").mkdir()
    assert demo.main(["--sequence", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 1
    err = capfd.readouterr().err
    assert "empty: no dataset here" in err and "Traceback" not in err
