"""Readers of the scan-gap study: OFF meshes, ScanObjectNN's h5 files, real objects."""

import numpy as np
import pytest

from roomcad_offline.scan_gap import scanobjectnn
from roomcad_offline.scan_gap.clouds import CLASSES_8, Clouds, unit_sphere
from roomcad_offline.scan_gap.modelnet import build_cache, read_cache, read_off
from roomcad_offline.scan_gap.variants import collect, read_objects

SQUARE = "4 1 0\n0 0 0\n2 0 0\n2 2 0\n0 2 0\n4 0 1 2 3\n"


def write_off(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "header",
    [
        "OFF\n4 1 0\n",
        "OFF4 1 0\n",
        "OFF 4 1 0\n",
        "OFF # ModelNet\n# a comment\n\n4 1 0 # counts\n",
    ],
)
def test_off_headers_of_every_kind_give_the_same_mesh(tmp_path, header):
    body = SQUARE.split("\n", 1)[1]
    vertices, faces = read_off(write_off(tmp_path / "a.off", header + body))
    np.testing.assert_array_equal(vertices, [[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]])
    np.testing.assert_array_equal(faces, [[0, 1, 2], [0, 2, 3]])  # the polygon as a fan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not an OFF file"),
        ("PLY\n" + SQUARE, "not an OFF file"),
        ("OFF490 518 0\n1 2 3\n", "malformed OFF"),
        ("OFF\n" + SQUARE.replace("4 0 1 2 3", "4 0 1 2"), "malformed OFF"),
        ("OFF\n" + SQUARE.replace("4 0 1 2 3", "4 0 1 2 9"), "missing vertex"),
        ("OFF\n" + SQUARE.replace("2 2 0", "2 nan 0", 1), "not finite"),
        ("OFF\nfour one 0\n", "malformed OFF"),
    ],
)
def test_damaged_off_is_a_clear_error(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        read_off(write_off(tmp_path / "a.off", text))


def test_cache_samples_the_surface_names_bad_meshes_and_is_repeatable(tmp_path):
    for label in ("bed", "chair"):
        write_off(tmp_path / f"mn/{label}/test/{label}_1.off", "OFF" + SQUARE)
    write_off(tmp_path / "mn/bed/test/bed_2.off", "OFF9 9 0\n")
    caches = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for cache in caches:
        n, bad = build_cache(tmp_path / "mn", "test", cache, ("bed", "chair"))
        assert n == 2 and len(bad) == 1 and bad[0].startswith("bed_2.off: malformed")
    clouds, again = (read_cache(c) for c in caches)
    np.testing.assert_array_equal(clouds.points, again.points)
    assert clouds.points.shape == (2, 1024, 3) and clouds.labels.tolist() == [0, 1]
    assert np.abs(clouds.points[..., 2]).max() < 1e-6  # the square lies in its plane
    assert np.linalg.norm(clouds.points, axis=2).max(1) == pytest.approx([1, 1])


def test_cache_without_a_class_folder_or_truncated_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder bed/test"):
        build_cache(tmp_path, "test", tmp_path / "a.npz", ("bed",))
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="cut.npz: unreadable"):
        read_cache(tmp_path / "cut.npz")


@pytest.fixture
def h5(tmp_path):
    """h5(variant, **replaced) writes a file of 15 clouds, one a class, in the official layout."""
    h5py = pytest.importorskip("h5py", reason="ScanObjectNN is read with h5py: make setup-train")

    def write(variant, **replaced):
        rng = np.random.default_rng(1)
        data = rng.uniform(-1, 1, (15, 2048, 3)).astype(np.float32)
        data[..., 1] *= 0.1  # y is up: flat things lie in the xz plane
        mask = np.tile(np.where(np.arange(2048) < 512, -1, 7), (15, 1))
        arrays = {"data": data, "label": np.arange(15), "mask": mask, **replaced}
        path = scanobjectnn.file_of(tmp_path / "son", variant)
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            for key, array in arrays.items():
                if array is not None:
                    file[key] = array
        return path

    return write


def test_h5_comes_out_z_up_in_the_unit_sphere_with_its_background(h5):
    clouds = scanobjectnn.read_h5(h5("obj_bg"), "obj_bg")
    assert clouds.points.shape == (15, 1024, 3) and clouds.classes[13] == "sofa"
    assert np.ptp(clouds.points, axis=1)[:, 2].max() < 0.3  # flat in z, no longer in y
    assert np.linalg.norm(clouds.points, axis=2).max(1) == pytest.approx(np.ones(15))
    assert clouds.is_background.mean() == pytest.approx(0.25, abs=0.02)
    again = scanobjectnn.read_h5(h5("obj_bg"), "obj_bg")
    np.testing.assert_array_equal(clouds.points, again.points)


def test_eight_and_eleven_classes_of_the_fifteen(h5):
    clouds = scanobjectnn.read_h5(h5("pb_t50_rs"), "pb_t50_rs")
    eight = scanobjectnn.with_classes_8(clouds)
    assert eight.classes == CLASSES_8 and sorted(eight.labels) == list(range(8))
    # label 8 (shelf) is the bookshelf, label 6 (display) the monitor
    shelf = eight.points[eight.labels == CLASSES_8.index("bookshelf")]
    np.testing.assert_array_equal(shelf[0], clouds.points[8])
    eleven = scanobjectnn.with_classes_11(clouds)
    assert len(eleven.classes) == 11 and sorted(eleven.labels) == list(range(11))
    assert set(scanobjectnn.CLASSES_15) - set(eleven.classes) == {"bag", "bin", "box", "pillow"}


def test_modelnet_predictions_are_mapped_to_the_eleven():
    said = scanobjectnn.to_classes_11(
        np.array([0, 1, 2, 3]), ("bench", "bathtub", "wardrobe", "monitor")
    )
    names = [scanobjectnn.CLASSES_11[i] if i >= 0 else None for i in said]
    assert names == ["chair", None, "cabinet", "display"]


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"data": None}, "no key data"),
        ({"mask": None}, "no key mask"),
        ({"data": np.zeros((15, 2048, 4))}, "data: got"),
        ({"data": np.zeros((15, 100, 3))}, "data: got"),
        ({"data": np.full((15, 2048, 3), np.nan)}, "data: NaN"),
        ({"data": np.zeros((15, 2048, 3))}, "all equal"),
        ({"label": np.arange(1, 16)}, "label: got 1..15, expected 0..14"),
        ({"label": np.arange(14)}, "label: got 14 labels for 15 clouds"),
        ({"mask": np.zeros((15, 7))}, "mask: got"),
    ],
)
def test_wrong_h5_names_file_and_field(h5, replaced, said):
    path = h5("obj_bg", **replaced)
    with pytest.raises(ValueError, match=said) as error:
        scanobjectnn.read_h5(path, "obj_bg")
    assert "test_objectdataset.h5" in str(error.value)


def test_truncated_h5_is_a_value_error(h5):
    path = h5("obj_bg")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="test_objectdataset.h5: unreadable"):
        scanobjectnn.read_h5(path, "obj_bg")


def test_missing_variants_are_named_and_given_ones_replace_the_stand_in(h5, tmp_path):
    h5("obj_only", mask=None)
    variants = collect(tmp_path, tmp_path / "son")
    assert list(variants.found) == ["obj_only"]
    assert variants.found["obj_only"].is_background is None
    assert variants.missing["obj_bg"] == "main_split/test_objectdataset.h5 is missing"
    assert "main_split/test_objectdataset_augmentedrot_scale75.h5" in variants.missing["pb_t50_rs"]


def write_real(path, clouds, labels, classes=CLASSES_8):
    rows = np.concatenate(clouds).astype(np.float32)
    offsets = np.cumsum([0, *map(len, clouds)])
    np.savez(path, obj_bg=rows, obj_bg_off=offsets, label=np.array(labels), classes=classes)
    return path


def test_unusable_real_objects_are_named_and_left_out(tmp_path, caplog):
    rng = np.random.default_rng(0)
    good, few, nan = (rng.normal(size=(n, 7)) for n in (90, 31, 90))
    nan[3, 1] = np.nan
    good[:, 6] = np.arange(90) < 60  # object points
    path = write_real(tmp_path / "real.npz", [few, good, nan, np.ones((90, 7))], [0, 2, 4, 5])
    clouds = read_objects(path, "obj_bg")
    assert clouds.labels.tolist() == [2] and clouds.name == "real/obj_bg (3 left out)"
    assert clouds.points.shape == (1, 1024, 3) and 0.2 < clouds.is_background.mean() < 0.45
    for said in ("object 0 (bed): 31 points", "object 2 (monitor): NaN", "object 3 (sofa): all"):
        assert said in caplog.text


def test_a_file_of_unusable_objects_only_is_an_error(tmp_path):
    path = write_real(tmp_path / "real.npz", [np.ones((3, 7))], [0])
    with pytest.raises(ValueError, match="real.npz: obj_bg: no usable object"):
        read_objects(path, "obj_bg")


def test_wrong_class_lists_and_labels_are_errors():
    points = unit_sphere(np.random.default_rng(0).normal(size=(2, 40, 3)))
    with pytest.raises(ValueError, match="labels outside 0..1"):
        Clouds("a", points, np.array([0, 2]), ("bed", "chair"))
    with pytest.raises(ValueError, match="no class"):
        Clouds("a", points, np.array([0, 1]), ("bed", "chair")).of_classes(CLASSES_8)
