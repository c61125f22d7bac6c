"""The demo from end to end on a small simulated room: bag, live nodes, replay, record, report."""

import json

import pytest

from roomcad_offline import demo
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
    assert json.loads((tmp_path / "objects.json").read_text())
    for name in ("overlays.png", "top_view.png", "animation.gif", "result.mcap/metadata.yaml"):
        assert (tmp_path / name).stat().st_size > 100
    assert {"bag", "live nodes", "report"} <= json.loads(
        (tmp_path / "times.json").read_text()
    ).keys()
    assert "within 20 cm" in capsys.readouterr().out


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
