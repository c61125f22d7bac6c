"""Truth of ScanNet-style frame folders: label images and Scan2CAD surfaces with boxes."""

import json

import cv2
import numpy as np
import pytest

from roomcad_core.datasets import open_dataset
from roomcad_offline.scannet.categories import by_name
from roomcad_offline.scannet.data import data_folder
from roomcad_offline.scannet.frames import open_truth, read_boxes
from roomcad_offline.scannet.label_images import STRUCTURE, majority
from roomcad_offline.scannet.scan2cad import FIRST_BOX, FLOOR
from roomcad_offline.scannet.scan2cad import WALL as UNANNOTATED_WALL

K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
SIZE = (48, 64)
CHAIR, WALL, TOILET = (by_name(n).scannet_id for n in ("chair", "wall", "toilet"))
# A camera 1 m above the floor that looks along the world's x: z-up world from optical frame.
T_WORLD_CAM = np.array([[0, 0, 1.0, 0], [-1, 0, 0, 0], [0, -1, 0, 1], [0, 0, 0, 1]])
CLASSES = {"3": "cabinet", "4": "chair"}


@pytest.fixture
def folder(tmp_path, write_recording):
    """Two frames of a wall 2 m away: rows are heights, columns run along -y."""
    path = tmp_path / "scene0000_00"
    write_recording(path, K, [np.full(SIZE, 2.0, np.float32)] * 2)
    for i in range(2):
        np.savetxt(path / "pose" / f"{i}.txt", T_WORLD_CAM)
    return path


def opened(folder):
    return open_truth(folder, open_dataset(folder, up="z"))


def write_png(path, image, dtype):
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), image.astype(dtype))


def write_labels(folder, ids, labels, names=("instance-filt", "label-filt"), id_type=np.uint8):
    for i in range(2):
        write_png(folder / names[0] / f"{i}.png", ids, id_type)
        write_png(folder / names[1] / f"{i}.png", labels, np.uint16)


def write_scan2cad(folder, surfaces, boxes, axis_align=None):
    for i in range(2):
        write_png(folder / "scan2cad" / f"{i}.png", surfaces, np.uint16)
    (folder / "scan2cad_classes.json").write_text(json.dumps(CLASSES))
    align = np.eye(4) if axis_align is None else axis_align
    entries = [{"label": label, "box": list(box)} for label, box in boxes]
    content = {"axis_align": align.tolist(), "boxes": entries}
    (folder / "boxes.json").write_text(json.dumps(content))


def two_things():
    """Instance 7 left, 9 right of column 40; a strip of 7 is labelled wall."""
    ids = np.full(SIZE, 7)
    ids[:, 40:] = 9
    ids[:5] = 0
    labels = np.where(ids == 9, WALL, CHAIR)
    labels[:, :3] = WALL
    return ids, labels


@pytest.mark.parametrize("id_type", [np.uint8, np.uint16])
def test_label_images_on_the_depth_grid(folder, id_type):
    ids, labels = two_things()
    write_labels(folder, ids, labels, id_type=id_type)
    truth = opened(folder)
    assert len(truth) == 2
    bare_wall = STRUCTURE + WALL  # has a label and no instance; the chair's pixels there stay 0
    expected = np.where((ids == 0) & (labels == WALL), bare_wall, ids)
    np.testing.assert_array_equal(truth[1].instances, expected)
    assert (expected == bare_wall).any() and (expected == 0).any()
    assert truth[1].instances.dtype == np.int32
    names = {k: c.name for k, c in truth[1].categories.items()}
    assert names == {7: "chair", 9: "wall", bare_wall: "wall"}


def test_label_images_at_colour_resolution(folder):
    """Colour twice as fine and shifted by three of its pixels."""
    double = np.array([[120.0, 0, 66], [0, 120, 47.5], [0, 0, 1]])
    np.savetxt(folder / "intrinsic/intrinsic_color.txt", double)
    for i in range(2):
        cv2.imwrite(str(folder / f"color/{i}.png"), np.full((96, 128, 3), 50, np.uint8))
    ids = np.full((96, 128), 300)
    ids[:, 100:] = 301
    labels = np.where(ids == 300, CHAIR, WALL)
    write_labels(folder, ids, labels, id_type=np.uint16)
    got = opened(folder)[0].instances
    u = np.arange(64)
    column = np.rint((u - 31.5) * 2 + 66).astype(int)
    expected = np.where(column > 127, 0, np.where(column >= 100, 301, 300))
    np.testing.assert_array_equal(got[10], expected)
    assert set(np.unique(got)) == {0, 300, 301}


def test_unfiltered_folders_serve_where_the_filtered_are_absent(folder):
    ids, labels = two_things()
    write_labels(folder, ids, labels, ("instance", "label"))
    assert opened(folder)[0].categories[7].label == "chair"
    write_labels(folder, np.full(SIZE, 3), labels)
    assert set(opened(folder)[0].categories) == {3}


def test_label_images_of_a_colour_camera_beside_the_depth_camera(folder):
    """The colour camera stands 0.1 m to the right: 6 of its pixels at 2 m, 3 where depth lacks."""
    double = np.array([[120.0, 0, 63.25], [0, 120, 47.5], [0, 0, 1]])
    np.savetxt(folder / "intrinsic/intrinsic_color.txt", double)
    shift = np.eye(4)
    shift[0, 3] = 0.1
    np.savetxt(folder / "intrinsic/extrinsic_color.txt", shift)
    depth = np.full(SIZE, 2000)
    depth[30:] = 0
    write_png(folder / "depth/0.png", depth, np.uint16)
    for i in range(2):
        write_png(folder / f"color/{i}.png", np.full((96, 128, 3), 50), np.uint8)
    ids = np.broadcast_to(1 + np.arange(128), (96, 128))  # column + 1
    write_labels(folder, ids, np.full((96, 128), CHAIR))
    got = opened(folder)[0].instances
    for row, right in ((10, 6), (40, 3)):
        column = np.rint((np.arange(64) - 31.5) * 2 + 63.25 - right).astype(int)
        np.testing.assert_array_equal(got[row], np.where(column >= 0, column + 1, 0))


def test_category_of_most_labelled_pixels():
    ids = np.array([[1, 1, 1, 1, 1, 2, 2, 0]])
    labels = np.array([[0, 0, 0, CHAIR, TOILET, 0, 0, WALL]])
    labels[0, 2] = TOILET
    found = majority(ids, labels)
    assert (found[1].name, found[2].name, set(found)) == ("toilet", "unannotated", {1, 2})


def test_label_images_of_a_wrong_size_or_kind_are_refused(folder):
    ids, labels = two_things()
    write_labels(folder, ids[:20], labels)
    with pytest.raises(ValueError, match=r"0\.png: got \(20, 64\), expected \(48, 64\) \(depth\)"):
        opened(folder)[0]
    write_labels(folder, np.dstack([ids] * 3), labels)
    with pytest.raises(ValueError, match=r"expected uint8 or uint16 \(H, W\)"):
        opened(folder)[0]
    (folder / "instance-filt/0.png").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not readable as PNG"):
        opened(folder)[0]
    (folder / "instance-filt/0.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"instance-filt/0\.png"):
        opened(folder)[0]


def test_a_folder_without_truth_lists_what_was_looked_for(folder):
    with pytest.raises(ValueError, match=r"Looked for instance-filt/.*scan2cad/ with boxes\.json"):
        opened(folder)


def aligned_points(v, u):
    """Point of the wall at row v, column u in the aligned frame, which is the world's here."""
    return np.array([2.0, -(u - 31.5) / 60 * 2, 1 - (v - 23.5) / 60 * 2])


def box_around(rows, columns, grow=0.001):
    """centre and size of a box 0.2 m thick around rows and columns [first, last]."""
    a, b = aligned_points(rows[0], columns[0]), aligned_points(rows[1], columns[1])
    low, high = np.minimum(a, b) - grow, np.maximum(a, b) + grow
    low[0], high[0] = 1.9, 2.1
    return [*((low + high) / 2), *(high - low)]


def test_a_toilet_that_scan2cad_calls_a_chair_is_a_toilet(folder):
    surfaces = np.zeros(SIZE)
    surfaces[10:20, 5:15] = 4002  # in the toilet's box
    surfaces[10:20, 30:40] = 4003  # in no box
    write_scan2cad(folder, surfaces, [("toilet", box_around((8, 22), (3, 17)))])
    truth = opened(folder)
    found = truth[0]
    assert (found.instances[15, 10], found.categories[4002].name) == (4002, "toilet")
    assert (found.instances[15, 35], found.categories[4003].name) == (4003, "chair")
    assert [(b.category.name, b.id) for b in truth.boxes] == [("toilet", 4002)]
    assert found.instances[9, 4] == UNANNOTATED_WALL  # beside the surface, in the box that it fills


def test_other_surface_in_a_box_is_the_boxs_thing(folder):
    surfaces = np.zeros(SIZE)
    surfaces[10:20, 5:15] = 3001
    surfaces[:, 60:] = 65535
    boxes = [
        ("cabinet", box_around((8, 22), (3, 17))),
        ("curtain", box_around((0, 40), (30, 50))),
        ("garbagebin", box_around((30, 36), (35, 40))),
    ]
    write_scan2cad(folder, surfaces, boxes)
    truth = opened(folder)
    found = truth[0]
    assert found.instances[20, 40] == FIRST_BOX + 1 == truth.boxes[1].id
    assert found.categories[FIRST_BOX + 1].kind == "structure"
    assert found.instances[33, 37] == FIRST_BOX + 2  # the smaller of two boxes
    assert found.categories[FIRST_BOX + 2].label == "bin"
    assert found.instances[24, 24] == UNANNOTATED_WALL  # upright, and nothing behind it
    assert found.categories[UNANNOTATED_WALL].kind == "structure"
    assert (found.instances[:, 60:] == 0).all() and 65535 not in found.categories


def test_what_is_low_in_the_aligned_frame_is_floor(folder):
    """With the aligned frame 0.7 m higher, the wall's lowest rows lie below 4 cm."""
    align = np.eye(4)
    align[2, 3] = -0.7
    box = box_around((0, 47), (30, 50))
    box[2] -= 0.7
    write_scan2cad(folder, np.zeros(SIZE), [("desk", box)], align)
    truth = opened(folder)
    instances, z = truth[0].instances, 1 - (np.arange(48) - 23.5) / 60 * 2 - 0.7
    assert (instances[z < 0.035] == FLOOR).all() and not (instances[z > 0.045] == FLOOR).any()
    assert (instances[z > 0.045][:, 32:49] == FIRST_BOX).all()
    np.testing.assert_array_equal(truth.T_aligned_world, align)


def test_a_frame_without_pose_has_no_truth(folder):
    np.savetxt(folder / "pose/1.txt", np.full((4, 4), -np.inf))
    write_scan2cad(folder, np.zeros(SIZE), [])
    truth = opened(folder)
    assert truth[1] is None and truth[0] is not None


def test_damaged_scan2cad_images_are_refused(folder):
    write_scan2cad(folder, np.full(SIZE, 9001), [])
    with pytest.raises(ValueError, match=r"0\.png: classes \[9\] are not in scan2cad_classes"):
        opened(folder)
    write_scan2cad(folder, np.zeros((10, 10)), [])
    with pytest.raises(ValueError, match=r"0\.png: got \(10, 10\), expected \(48, 64\)"):
        opened(folder)
    (folder / "scan2cad_classes.json").unlink()
    with pytest.raises(FileNotFoundError, match="scan2cad_classes"):
        opened(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"boxes": []}, "axis_align: missing"),
        ({"axis_align": np.eye(4).tolist()}, "boxes: missing"),
        ({"axis_align": [[1]], "boxes": []}, "axis_align: "),
        ({"axis_align": np.full((4, 4), np.nan).tolist(), "boxes": []}, "axis_align: holds NaN"),
        ({"axis_align": np.eye(4).tolist(), "boxes": {}}, "boxes: got dict, expected a list"),
        ({"axis_align": np.eye(4).tolist(), "boxes": [{"box": [1]}]}, r"boxes\[0\]: label: miss"),
        (
            {"axis_align": np.eye(4).tolist(), "boxes": [{"label": "a", "box": [1, 2]}]},
            r"boxes\[0\]: box: got 2 numbers, expected 6",
        ),
        (
            {"axis_align": np.eye(4).tolist(), "boxes": [{"label": "a", "box": "x"}]},
            r"boxes\[0\]: box: got 'x', expected 6 numbers",
        ),
    ],
)
def test_damaged_boxes_name_file_and_field(tmp_path, content, message):
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"boxes\.json: " + message):
        read_boxes(tmp_path / "boxes.json")


def test_boxes_without_extent_or_numbers_are_skipped_and_counted(tmp_path, caplog):
    entries = [
        {"label": "sofa", "box": [1, 2, 3, 1, 0, 1]},
        {"label": "bed", "box": [1, None, 3, 1, 1, 1]},
        {"label": "desk", "box": [1, 2, 3, 1, 2, 1], "id": 12},
    ]
    content = {"axis_align": np.eye(4).tolist(), "boxes": entries}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    T, boxes = read_boxes(tmp_path / "boxes.json")
    np.testing.assert_array_equal(T, np.eye(4))
    assert [(b.category.name, b.id, b.size.tolist()) for b in boxes] == [("desk", 12, [1, 2, 1])]
    assert "2 boxes without extent left out: sofa (id 1), bed (id 2)" in caplog.text


def test_real_recordings_have_truth():
    root = data_folder() / "scannet_frames"
    if not root.is_dir():
        pytest.skip(f"{root} is absent; set ROOMCAD_DATA to the folder that holds it")
    bathroom = opened(root / "scene0448_01")
    assert bathroom[117] is None
    found = {c.name for i in (0, 60) for c in bathroom[i].categories.values()}
    assert {"toilet", "floor", "bathtub"} <= found and "chair" not in found
