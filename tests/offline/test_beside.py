"""Several aligners on the same frames: a row for each frame, a column for each aligner."""

import cv2
import numpy as np
import pytest

from roomcad_offline.cli import main

pytest.importorskip("onnxruntime")
pytest.importorskip("open3d")

K = np.array([[130.0, 0, 79.5], [0, 130, 59.5], [0, 0, 1]])


@pytest.fixture
def recording(tmp_path, write_recording):
    depths = [np.full((120, 160), 2000, np.uint16) for _ in range(5)]
    write_recording(tmp_path / "recording", K, depths)
    return tmp_path / "recording"


def test_every_aligner_gets_a_column_and_its_name(recording, tmp_path):
    path = tmp_path / "new" / "both.png"
    assert main(["beside", str(recording), str(path), "--frames", "2"]) == 0
    picture = cv2.imread(str(path))
    assert picture.shape == (2 * 360, 2 * 480, 3)
    left, right = picture[:120, :480].astype(int), picture[:120, 480:].astype(int)
    assert (left.min(), left.max()) == (0, 255)  # the name, white on black, over the grey image
    assert np.abs(left - right).max() > 100  # the other has another name


def test_one_aligner_and_more_rows_than_frames(recording, tmp_path):
    path = tmp_path / "one.png"
    arguments = ["beside", str(recording), str(path), "--frames", "9", "--aligner", "icp"]
    assert main(arguments) == 0
    assert cv2.imread(str(path)).shape == (5 * 360, 480, 3)


def test_no_rows_are_refused(recording, tmp_path, capsys):
    assert main(["beside", str(recording), str(tmp_path / "x.png"), "--frames", "0"]) == 1
    assert "--frames: got 0, expected at least 1" in capsys.readouterr().err
