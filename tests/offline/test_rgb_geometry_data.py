"""Samples for depth and normals: recorded folders, FrameNet's layout, random changes, order."""

import itertools

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")

from roomcad_core.camera import rays  # noqa: E402
from roomcad_offline.rgb_geometry.augment import mirrored, random_window  # noqa: E402
from roomcad_offline.rgb_geometry.config import NetworkConfig, SampleConfig  # noqa: E402
from roomcad_offline.rgb_geometry.samples import Images, Samples, batches, true_depth  # noqa: E402
from roomcad_offline.rgb_geometry.scenes import open_scene, scene_folders  # noqa: E402

NORMAL = np.array([0.3, -0.8, -0.5]) / np.linalg.norm([0.3, -0.8, -0.5])
DEPTH_NET, NORMAL_NET = (NetworkConfig(t, width=64, height=48) for t in ("depth", "normals"))


def plane_depth(K, shape, offset=-2.0):
    """(H, W) depth of the plane NORMAL . X = offset."""
    return (offset / (rays(shape, K) @ NORMAL)).astype(np.float32)


@pytest.fixture
def recorded(tmp_path, write_recording):
    """A folder of two scenes, of two and three images of planes; fx / width is 0.9."""
    K = np.array([[86.4, 0, 47.5], [0, 86.4, 35.5], [0, 0, 1]])
    for name, n in (("scene0000_00", 2), ("scene0001_00", 3)):
        write_recording(tmp_path / name, K, [plane_depth(K, (72, 96), -2 - k) for k in range(n)])
    return tmp_path


@pytest.fixture
def framenet(tmp_path):
    """scannet-frames with one scene of one picture, whose upper rows are masked out."""
    scene = tmp_path / "scannet-frames" / "scene0000_00"
    scene.mkdir(parents=True)
    code = np.empty((48, 64, 3), np.uint8)
    code[:] = np.rint((1 - NORMAL) * 127.5)
    mask = np.full((48, 64), 255, np.uint8)
    mask[:12] = 0
    for name, image in (("color", code), ("normal", code[..., ::-1]), ("orient-mask", mask)):
        cv2.imwrite(str(scene / f"frame-000020-{name}.png"), image)
    return scene


def test_truth_of_a_recorded_plane_is_its_depth_and_its_normal(recorded):
    images = Images(scene_folders(recorded), progress=False)
    assert len(images) == 5
    rgb, depth, factor = Samples(images, DEPTH_NET, SampleConfig(farthest=50))[0, 2]
    assert rgb.shape == (3, 48, 64) and depth.shape == (24, 32)
    assert factor.item() == pytest.approx(1.0, rel=1e-6)  # the camera that depths are told for
    K = np.array([[28.8, 0, 15.5], [0, 28.8, 11.5], [0, 0, 1]])
    wanted = plane_depth(K, (24, 32))
    near = wanted < 8  # farther off the plane is seen too much from the side
    assert near.mean() > 0.8
    np.testing.assert_allclose(depth.numpy()[near], wanted[near], rtol=0.02)
    _, normal, _ = Samples(images, NORMAL_NET, SampleConfig(farthest=50))[0, 2]
    np.testing.assert_allclose(normal[:, 12, 16], NORMAL, atol=0.02)


def test_depth_out_of_range_is_unknown(recorded):
    images = Images(scene_folders(recorded), progress=False)
    depth = Samples(images, DEPTH_NET, SampleConfig(nearest=2.5, farthest=3.0))[0, 0][1]
    assert 0 < (depth > 0).sum() < depth.numel()
    assert depth[depth > 0].min() >= 2.5 and depth.max() <= 3.0


def test_a_part_of_the_image_looks_nearer_by_its_zoom(recorded):
    images = Images(scene_folders(recorded), progress=False)
    view = images[0]
    part = random_window(view, 0.5, np.random.default_rng(3))
    assert part.color.shape[0] / part.color.shape[1] == pytest.approx(0.75, abs=0.02)
    depth, factor = true_depth(part, (24, 32), SampleConfig(farthest=50))
    zoom = part.color.shape[1] / view.color.shape[1]
    assert factor == pytest.approx(1 / zoom, rel=0.02)
    middle = part.depth[part.depth.shape[0] // 2, part.depth.shape[1] // 2]
    assert depth[12, 16] * factor == pytest.approx(middle, rel=0.03)


def test_framenets_normals_are_read_as_its_code_says(framenet):
    scene = open_scene(framenet)
    view = scene[0]
    assert len(scene) == 1 and view.depth is None
    assert view.K[0, 0] == pytest.approx(57.7591)
    np.testing.assert_allclose(view.normal[20, 30], NORMAL, atol=0.01)
    assert not view.normal[:12].any()
    images = Images(scene_folders(framenet.parent), progress=False)
    _, normal, _ = Samples(images, NORMAL_NET, SampleConfig())[0, 0]
    np.testing.assert_allclose(normal[:, 15, 16], NORMAL, atol=0.01)
    assert not normal[:, :5].any()
    with pytest.raises(ValueError, match="no depth"):
        Samples(images, DEPTH_NET, SampleConfig())


def test_framenet_pictures_of_another_code_or_size_are_refused(framenet):
    name = str(framenet / "frame-000020-normal.png")
    code = cv2.imread(name)
    cv2.imwrite(name, 255 - code)
    with pytest.raises(ValueError, match="face away"):
        open_scene(framenet)[0]
    cv2.imwrite(name, code[:40])
    with pytest.raises(ValueError, match="same size"):
        open_scene(framenet)[0]


def test_a_mirrored_plane_still_fits_its_normals():
    K = np.array([[30.0, 0, 15.5], [0, 30, 11.5], [0, 0, 1]])
    depth = plane_depth(K, (24, 32))
    normal = np.broadcast_to(NORMAL.astype(np.float32)[:, None, None], (3, 24, 32))
    _, turned = mirrored(np.zeros((3, 48, 64), np.float32), normal)
    points = rays((24, 32), K) * depth[:, ::-1, None]
    offsets = np.einsum("hwc,chw->hw", points, turned)
    np.testing.assert_allclose(offsets, -2, rtol=1e-4)


def test_training_samples_differ_by_epoch_and_are_the_same_again(recorded):
    images = Images(scene_folders(recorded), progress=False)
    samples = Samples(images, DEPTH_NET, SampleConfig(), seed=5)
    first, again, later = (samples[epoch, 1][0] for epoch in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, later)
    assert first.min() >= 0 and first.max() <= 1


def test_each_epoch_has_every_sample_once_for_all_processes_together():
    first, second = (list(itertools.islice(batches(12, 2, 7, 0, r, 2), 6)) for r in range(2))
    for epoch in range(2):
        both = [key for part in (first, second) for batch in part[3 * epoch : 3 * epoch + 3]
                for key in batch]  # fmt: skip
        assert sorted(both) == [(epoch, i) for i in range(12)]
    assert list(itertools.islice(batches(12, 2, 7, 4, 1, 2), 2)) == second[4:]
    with pytest.raises(ValueError, match="at least a batch"):
        next(batches(3, 2, 7, size=2))


def test_scenes_are_found_by_name_and_missing_ones_reported(recorded, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("scene0001_00\nscene0009_00\n")
    assert [p.name for p in scene_folders(recorded, names)] == ["scene0001_00"]
    assert scene_folders(recorded / "scene0000_00") == [recorded / "scene0000_00"]
    names.write_text("scene0009_00\n")
    with pytest.raises(ValueError, match=r"names\.txt"):
        scene_folders(recorded, names)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        scene_folders(recorded / "nowhere")
