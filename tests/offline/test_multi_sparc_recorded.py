"""Fine-tuning on recorded frames: a simulated room as it is, and in the layout of ScanNet25k."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")
pytest.importorskip("open3d")

from roomcad_core.camera import project  # noqa: E402
from roomcad_core.datasets import open_dataset  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.evaluation.scannet25k import write_frame, write_intrinsics  # noqa: E402
from roomcad_offline.multi_sparc import config as configs  # noqa: E402
from roomcad_offline.multi_sparc.mixture import Mixture, RecordedScenes, other_points  # noqa: E402
from roomcad_offline.multi_sparc.recorded import load, record, record_all, save  # noqa: E402
from roomcad_offline.multi_sparc.scenes import (  # noqa: E402
    CadBank,
    SceneConfig,
    SceneGenerator,
    Source,
)
from roomcad_offline.multi_sparc.scenes.draws import Draws  # noqa: E402
from roomcad_offline.rooms.config import RoomConfig  # noqa: E402
from roomcad_offline.rooms.make import make_rooms  # noqa: E402

ROOM = RoomConfig(rooms=1, frames=3, width=320, height=240, fps=0.4, seed=3, shadows=False,
                  theme="office", clutter=0.3)  # fmt: skip
N_MUL, POINTS = 3, 200
SCENE = "scene0001_00"


@pytest.fixture(scope="module")
def library():
    return Library.load()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    folders, _ = make_rooms(ROOM, tmp_path_factory.mktemp("rooms"))
    return folders[0]


@pytest.fixture(scope="module")
def images(room, library):
    return record(room, library, N_MUL, POINTS)


@pytest.fixture(scope="module")
def scannet(room, tmp_path_factory):
    """(scannet_frames_25k, full_annotations.json): the room without its instance masks."""
    root = tmp_path_factory.mktemp("scannet") / "scannet_frames_25k"
    dataset = open_dataset(room)
    for number, frame in enumerate(dataset):
        name = f"{100 * number:06d}"
        write_frame(root, SCENE, name, frame.color, frame.depth, frame.T_world_cam)
    write_intrinsics(root, SCENE, dataset[0].K, dataset[0].K)
    entries = json.loads((room / "full_annotations.json").read_text())
    path = root.parent / "full_annotations.json"
    path.write_text(json.dumps([{**entries[0], "id_scan": SCENE}]))
    return root, path


def test_recorded_objects_stand_where_their_masks_are(images):
    assert images.valid.any() and len(images) >= 3
    M = images.R_gt * images.S_gt[..., None, :]
    posed = images.cad_points @ M.transpose(2, 3) + images.T_gt[..., None, :]
    for b, m in images.valid.nonzero().tolist():
        uv, z = project(posed[b, m].numpy(), images.K[b].numpy())
        left, top, right, bottom = images.box[b, m].tolist()
        if z.min() < 0.3:
            continue  # reaches beside the camera
        # The mask's box may be cut by the image or by what stands in front, but not exceed.
        assert uv[:, 0].min() < left + 6 and uv[:, 0].max() > right - 6
        assert uv[:, 1].min() < top + 6 and uv[:, 1].max() > bottom - 6


def test_masks_of_scannet_frames_are_where_the_rendered_cad_is_seen(images, scannet, library):
    root, annotations = scannet
    again = record(root / SCENE, library, N_MUL, POINTS, annotations)
    overlaps = []
    for b, m in again.valid.nonzero().tolist():
        same = (images.T_gt - again.T_gt[b, m]).norm(dim=-1) < 1e-3
        same &= images.valid
        for i, k in same.nonzero().tolist():
            if (images.depth[i] - again.depth[b]).abs().max() > 0.01:
                continue  # the same place in another frame
            true, made = images.instance[i] == k + 1, again.instance[b] == m + 1
            overlaps.append(float((true & made).sum() / (true | made).sum()))
    assert len(overlaps) >= 0.7 * int(images.valid.sum())
    assert np.mean(overlaps) > 0.7 and min(overlaps) > 0.3  # depth has gaps


def test_models_that_the_library_lacks_are_left_out_with_a_warning(room, library, caplog):
    few = Library(list(library.of_class("chair")), library.folder)
    chairs = record(room, few, N_MUL, POINTS)
    assert "are not in the library" in caplog.text
    assert chairs is None or chairs.valid.sum() < 12


def test_a_scene_without_annotations_is_named(scannet, library):
    root, annotations = scannet
    with pytest.raises(ValueError, match=f"{SCENE}: no CAD annotations of its own"):
        record(root / SCENE, library, N_MUL, POINTS)
    other = annotations.with_name("other.json")
    other.write_text(annotations.read_text().replace(SCENE, "scene9999_00"))
    with pytest.raises(ValueError, match=f"got 0 entries of scan {SCENE}, expected 1"):
        record(root / SCENE, library, N_MUL, POINTS, other)


def test_images_survive_the_disk(images, tmp_path):
    save(images, tmp_path / "room.npz")
    again = load(tmp_path / "room.npz")
    for name in ("depth", "instance", "T_gt", "R_gt", "S_gt", "box", "valid", "symmetry"):
        assert torch.equal(getattr(again, name), getattr(images, name)), name
    assert (again.normal - images.normal).abs().max() < 1e-3
    save(None, tmp_path / "empty.npz")
    assert load(tmp_path / "empty.npz") is None


def test_finished_scenes_are_not_read_again(room, library, tmp_path):
    first = record_all([room], tmp_path, library, N_MUL, POINTS)
    again = record_all([tmp_path / room.name], tmp_path, library, N_MUL, POINTS)
    assert torch.equal(first.depth, again.depth)


def test_other_points_are_the_same_surface_in_another_order(images):
    turned = other_points(images, Draws(torch.Generator().manual_seed(0)))
    for b, m in images.valid.nonzero().tolist()[:3]:
        rows = [torch.cat([x.cad_points[b, m], x.cad_normals[b, m]], 1) for x in (images, turned)]
        assert not torch.equal(*rows)
        assert np.allclose(*(np.sort(r.numpy(), 0) for r in rows))


@pytest.fixture(scope="module")
def mixture(images, library):
    few = Library([*library.of_class("chair")[:2], *library.of_class("table")[:2]], library.folder)
    config = dataclasses.replace(SceneConfig(), n_mul=N_MUL, points=POINTS)
    scenes = SceneGenerator(CadBank.build([Source(few)]), config, seed=1)
    return Mixture(scenes, RecordedScenes(images, config, seed=1), 0.5)


def test_a_mixture_holds_its_share_of_recorded_images_in_random_order(mixture, images):
    recorded = {tuple(K.flatten().tolist()) for K in images.K}
    batch = mixture.batch(8, 5)
    is_recorded = [tuple(K.flatten().tolist()) in recorded for K in batch.K]
    assert sum(is_recorded) == 4
    assert is_recorded != sorted(is_recorded) and is_recorded != sorted(is_recorded, reverse=True)
    again = mixture.batch(8, 5)
    assert torch.equal(batch.instance, again.instance)
    assert not torch.equal(batch.depth, mixture.batch(8, 6).depth)


def test_detector_errors_differ_and_most_of_each_mask_stays(mixture, images):
    batch = mixture.recorded.batch(12, 0)
    for b in range(len(batch)):
        source = (images.T_gt - batch.T_gt[b]).abs().flatten(1).amax(1).argmin()
        for m in batch.valid[b].nonzero().flatten().tolist():
            true, made = images.instance[source] == m + 1, batch.instance[b] == m + 1
            assert (true & made).sum() >= 0.25 * true.sum()


def test_fine_tuning_starts_from_another_run_and_remembers_it(room, tmp_path, monkeypatch):
    tiny = configs.ModelConfig(
        configs.NetworkConfig(n_mul=2, n_latent=4, width=32, blocks=1, self_layers=1,
                              self_heads=2, head_width=8, ff_mult=1),
        configs.InputConfig(20, 20, paired=True, object_frame=True),
    )  # fmt: skip
    monkeypatch.setitem(configs.PRESETS, "tiny", tiny)
    monkeypatch.setattr("roomcad_offline.multi_sparc.train.judge", lambda *_: {})
    small = ["--preset", "tiny", "--images", "4", "--scene", "n_mul=2", "--scene", "points=1000"]
    first, second = tmp_path / "first", tmp_path / "second"
    main(["align", "train", str(first), "--steps", "1", *small])
    more = ["--start", str(first), "--recorded", str(room.parent)]
    main(["align", "train", str(second), "--steps", "2", *small, *more])
    config = json.loads((second / "config.json").read_text())
    assert config["start"] == str(first) and config["recorded_share"] == 0.5
    # Going on without them would be another training.
    with pytest.raises((SystemExit, ValueError)):
        code = main(["align", "train", str(second), "--steps", "3", *small])
        raise SystemExit(code) if code else AssertionError("it went on")
