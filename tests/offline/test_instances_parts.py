"""Parts of the instance network: losses and scores by hand, cells of a known room, changes."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")

from roomcad_core.segment.instances.channels import PICTURE  # noqa: E402
from roomcad_core.segment.instances.cluster import belonging as core_belonging  # noqa: E402
from roomcad_core.segment.instances.model_files import KINDS  # noqa: E402
from roomcad_offline.benchmarks.real.sources import Source  # noqa: E402
from roomcad_offline.instances.augment import (  # noqa: E402
    augmented,
    mirrored,
    resized,
    tilted,
    window,
)
from roomcad_offline.instances.config import LossConfig, SampleConfig  # noqa: E402
from roomcad_offline.instances.losses import (  # noqa: E402
    FULL_CELLS,
    NEAR,
    belonging,
    instance_loss,
    object_losses,
)
from roomcad_offline.instances.recolour import recoloured  # noqa: E402
from roomcad_offline.instances.samples import sample  # noqa: E402
from roomcad_offline.instances.scores import Scores  # noqa: E402
from roomcad_offline.instances.truth import (  # noqa: E402
    SOME_STRUCTURE,
    SOME_THING,
    UNKNOWN,
    kind_of,
    things_and_kinds,
)
from roomcad_offline.instances.views import RoomViews, View, nearest_ids  # noqa: E402
from roomcad_offline.scannet.categories import by_name  # noqa: E402
from roomcad_offline.scannet.frames import FrameTruth  # noqa: E402

EYE_LEVEL = 1.2
# Looks along the world's x axis.
CAMERA = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, EYE_LEVEL], [0, 0, 0, 1.0]])


def test_votes_at_the_centre_cost_nothing_but_the_overlap_with_others():
    """Two objects whose votes are their centres, 0.2 m apart, with a spread of 0.2 m."""
    n = FULL_CELLS
    points = torch.zeros(2 * n, 3)
    points[n:, 0] = 0.2
    ids = torch.arange(2).repeat_interleave(n) + 5
    losses, weights = object_losses(
        points.clone(), torch.full((2 * n,), 0.2), torch.ones(2 * n), torch.ones(2 * n), points, ids
    )
    other = np.exp(-0.5)  # what a vote at the other centre, one spread away, belongs
    want = [1, 0, 1 - 2 / (1 + other + 1), 0, 0]  # n held, n (1 + other) held in all, n true
    for row in losses:
        assert row.numpy() == pytest.approx(want, abs=1e-4)
    assert weights.tolist() == [1, 1]


def test_offset_seed_and_agreement_by_hand():
    """One object; its votes lie 0.3 m and 0.05 m beside its centre, on both sides."""
    points = torch.tensor([[-0.3, 0, 1], [0.3, 0, 1], [0, -0.05, 1], [0, 0.05, 1]]).repeat(3, 1)
    spread = torch.tensor([0.1, 0.1, 0.2, 0.2]).repeat(3)
    seed = torch.full((12,), 0.5)
    cost, ids = torch.tensor([0.0, 0, 0.4, 0.4]).repeat(3), torch.ones(12, dtype=torch.long)
    losses, weights = object_losses(points, spread, seed, cost, points, ids)
    far, near = 0.3 - NEAR / 2, 0.05**2 / (2 * NEAR)
    deviation = np.sqrt(0.1 * 0.2)  # the mean of the logarithms
    belongs = np.exp(-0.5 * (np.array([0.3, 0.05]) / deviation) ** 2)
    want = [
        0.2,
        (far + near) / 2,
        1 - 2 * belongs.mean() / (belongs.mean() + 1),
        np.square(0.5 - belongs).mean(),
        np.log(2) / 2,
    ]
    assert losses[0].numpy() == pytest.approx(want, abs=1e-4)
    assert weights.tolist() == pytest.approx([12 / FULL_CELLS])


def test_torch_and_the_robot_agree_about_belonging():
    rng = np.random.default_rng(0)
    votes, centres, spread = rng.normal(size=(9, 3)), rng.normal(size=(2, 3)), np.array([0.4, 2])
    got = belonging(*map(torch.from_numpy, (votes, centres, spread))).numpy()
    for k in range(2):
        assert got[:, k] == pytest.approx(core_belonging(votes, centres[k], spread[k]))


def answer(kinds=None, shape=(1, 10, 20)):
    """What a network gives: no offsets, spread 0.2 m, seed 1; `kinds` (h, w) with certainty."""
    offset, none = (
        torch.zeros(shape[0], 3, *shape[1:]),
        torch.zeros(shape[0], len(KINDS), *shape[1:]),
    )
    out = {"offset": offset, "spread": torch.full(shape, 0.2), "seed": torch.ones(shape)}
    out["kinds"] = none
    if kinds is not None:
        out["kinds"] = 50.0 * torch.eye(len(KINDS))[kinds].permute(0, 3, 1, 2)
    return {name: t.requires_grad_() for name, t in out.items()}


def test_the_loss_is_zero_for_right_answers_and_log_16_for_kinds_not_known():
    ids = torch.zeros(1, 10, 20, dtype=torch.long)
    ids[:, :, 10:] = 3
    kinds, points = torch.where(ids > 0, 6, 0), torch.zeros(1, 3, 10, 20)
    total, parts = instance_loss(answer(kinds), points, ids, kinds, KINDS, LossConfig())
    assert total.item() == pytest.approx(0, abs=1e-5)
    total, parts = instance_loss(answer(), points, ids, kinds, KINDS, LossConfig(kinds=2.0))
    assert parts["kinds"] == pytest.approx(np.log(len(KINDS))) and parts["offset"] < 1e-5
    whole = 2 + LossConfig().name  # every object is as unsure as its cells
    assert total.item() == pytest.approx(whole * np.log(len(KINDS)), abs=1e-4)


def test_cells_of_which_only_thing_or_structure_is_known_teach_just_that():
    """Of 16 equally likely kinds 12 are things and 4 are structure."""
    ids, points = torch.zeros(1, 10, 20, dtype=torch.long), torch.zeros(1, 3, 10, 20)
    for code, share in ((SOME_THING, 12 / 16), (SOME_STRUCTURE, 4 / 16)):
        kinds = torch.full_like(ids, code)
        _, parts = instance_loss(answer(), points, ids, kinds, KINDS, LossConfig())
        assert parts["kinds"] == pytest.approx(-np.log(share), abs=1e-5)


def test_what_the_network_learns_of_categories():
    names = {"office chair": "chair", "plant": "other", "refrigerator": "other", "wall": "wall",
             "picture": "wall", "ceiling": "floor", "curtain": "opening", "window": "opening",
             "kitchen counter": "counter"}  # fmt: skip
    assert {name: KINDS[kind_of(by_name(name))] for name in names} == names
    codes = {"otherprop": SOME_THING, "structure": SOME_STRUCTURE, "unannotated": UNKNOWN}
    assert {name: kind_of(by_name(name)) for name in codes} == codes
    truth = FrameTruth(np.array([[0, 3, 7, 9]]),
                       {3: by_name("wall"), 7: by_name("object"), 9: by_name("bed")})  # fmt: skip
    ids, kinds = things_and_kinds(truth)
    assert ids.tolist() == [[0, 0, 7, 9]]
    assert kinds.tolist() == [[UNKNOWN, KINDS.index("wall"), SOME_THING, KINDS.index("bed")]]


def test_frames_without_objects_or_with_unknown_cells_give_finite_gradients():
    ids, points = torch.zeros(2, 10, 20, dtype=torch.long), torch.zeros(2, 3, 10, 20)
    kinds = torch.zeros_like(ids)
    kinds[:, :5] = UNKNOWN
    out = answer(shape=(2, 10, 20))
    total, _ = instance_loss(out, points, ids, kinds, KINDS, LossConfig())
    total.backward()
    grad = out["kinds"].grad
    assert torch.isfinite(grad).all() and (grad[:, :, :5] == 0).all() and grad.abs().max() > 0


def test_scores_of_a_hand_made_frame():
    """A chair found; a table and a desk in one; a sofa in two; a ball found as a thing apart."""
    true, found = np.zeros((20, 60), int), np.zeros((20, 60), int)
    places = {1: 0, 2: 10, 3: 20, 4: 30, 1001: 40}
    for i, x in places.items():
        true[:, x : x + 8] = i
    found[:, 0:8], found[:, 10:28] = 1, 2
    found[:10, 30:38], found[10:, 30:38] = 3, 4
    found[:, 40:48] = 5
    found[:, 50:55] = 6  # of the background
    scores = Scores()
    labels = {1: "chair", 2: "table", 3: "desk", 4: "sofa"}
    scores.add(true, found, np.ones_like(true, bool), labels)
    got = scores.result()
    assert (got["objects"], got["found"]) == (4, 5)  # the ball's is not judged
    # chair 1; table and desk 8 of 18 columns; sofa a half, which is a match
    assert got["recall"] == pytest.approx(2 / 4)
    assert got["precision"] == pytest.approx(2 / 5)
    assert got["mean_iou"] == pytest.approx((1 + 8 / 18 + 8 / 18 + 0.5) / 4)
    assert (got["merged"], got["merged_chair_table"], got["split"]) == (1, 0, 1)
    assert got["recall_by_class"] == {"chair": 1, "desk": 0, "sofa": 1, "table": 0}


def test_a_chair_merged_with_a_table_is_counted_and_small_or_unmeasured_things_are_not_judged():
    true = np.zeros((20, 60), int)
    true[:, :10], true[:, 10:20], true[0, 30:34], true[:, 40:50] = 1, 2, 3, 4
    found = np.where((true == 1) | (true == 2), 1, 0)
    known = np.ones_like(true, bool)
    known[:, 40:50] = False
    scores = Scores()
    scores.add(true, found, known, {1: "chair", 2: "desk", 3: "bin", 4: "bed"})
    got = scores.result()
    assert got["merged_chair_table"] == 1 and got["objects"] == 2
    scores.add(np.zeros_like(true), np.zeros_like(true), known, {})
    assert scores.result() == got
    assert Scores().result()["recall"] is None


def test_blocks_show_the_id_of_their_nearest_pixel():
    depth = np.array([[2, 1, 0], [3, 0, 5]], np.float32)
    ids = np.array([[1, 2, 3], [4, 5, 6]])
    assert nearest_ids(depth, ids, 2).tolist() == [[2, 6]]
    assert nearest_ids(depth, ids, 1).tolist() == ids.tolist()


@pytest.fixture
def room(tmp_path, write_recording):
    """A room of 128 x 96 pixels: floor, a wall 6 m away, before it a chair and a ball."""
    K = np.array([[110.0, 0, 63.5], [0, 110, 47.5], [0, 0, 1]])
    rows = np.arange(96.0)[:, None].repeat(128, 1)
    with np.errstate(divide="ignore"):
        depth = np.where(rows > 47.5, np.minimum(6, EYE_LEVEL * 110 / (rows - 47.5)), 6)
    ids = np.zeros(depth.shape, np.uint16)
    depth[40:90, 30:60], ids[40:90, 30:60] = 1.5, 1
    depth[60:80, 90:110], ids[60:80, 90:110] = 1.4, 1001
    folder = tmp_path / "rooms" / "room0000"
    write_recording(folder, K, [depth, depth])
    (folder / "instance").mkdir()
    for i in range(2):
        cv2.imwrite(str(folder / "instance" / f"{i}.png"), ids)
        np.savetxt(folder / "pose" / f"{i}.txt", CAMERA)
    objects, clutter = [{"id": 1, "label": "chair"}], [{"id": 1001, "name": "ball"}]
    (folder / "room.json").write_text(json.dumps({"objects": objects, "clutter": clutter}))
    unit = {"translation": [0, 0, 0], "rotation": [1, 0, 0, 0], "scale": [1, 1, 1]}
    entry = {"id_scan": "room0000", "trs": unit, "aligned_models": []}
    (folder / "full_annotations.json").write_text(json.dumps([entry]))
    return folder


def views_of(room, tmp_path, size=(48, 64)):
    source = Source("room0000", "simulated", room)
    return RoomViews([source], tmp_path / "cells", size, progress=False)


def test_cells_of_a_known_room_have_its_objects_places_and_floor(room, tmp_path):
    views = views_of(room, tmp_path, (48, 64))
    assert len(views) == 2
    view = views[0]
    assert view.floor_z == pytest.approx(-EYE_LEVEL, abs=0.01)
    chair = view.ids[32, 22]
    assert KINDS[view.kinds[32, 22]] == "chair" and KINDS[view.kinds[35, 50]] == "other"
    assert view.kinds[10, 10] == SOME_STRUCTURE
    assert (view.ids[21:44, 16:29] == chair).all() and (view.ids == chair).sum() == 25 * 15
    geometry, _, points, ids, kinds = (t.numpy() for t in sample(view))
    # Cell (22, 32) shows pixels 44 and 45 of 96 rows, 64 and 65 of 128 columns.
    x, y, z = points[:, 32, 22]
    assert x == pytest.approx(1.5, abs=0.01)
    assert y == pytest.approx(1.5 * (63.5 - 44.5) / 110, abs=0.01)
    assert z == pytest.approx(1.5 * (47.5 - 64.5) / 110, abs=0.01)
    assert geometry[3, 32, 22] == pytest.approx(z + EYE_LEVEL, abs=0.02)
    assert kinds[10, 10] == SOME_STRUCTURE and kinds[32, 22] == KINDS.index("chair")
    assert (ids == view.ids).all()


def test_cells_are_kept_and_made_anew_for_another_size(room, tmp_path):
    views_of(room, tmp_path, (48, 64))
    (path,) = (tmp_path / "cells").iterdir()
    assert path.name == "rooms-room0000.npz"
    before = path.stat().st_mtime_ns
    views_of(room, tmp_path, (48, 64))
    assert path.stat().st_mtime_ns == before
    assert views_of(room, tmp_path, (36, 48))[0].q.shape == (36, 48)


@pytest.fixture
def view(room, tmp_path):
    return views_of(room, tmp_path, (48, 64))[0]


def test_a_mirrored_view_has_its_points_and_normals_on_the_other_side(view):
    geometry, picture, points, ids, _ = sample(view)
    mirror, turned, other, mirror_ids, _ = sample(mirrored(view))
    assert (mirror_ids == ids.flip(-1)).all() and (turned == picture.flip(-1)).all()
    want = points.flip(-1) * torch.tensor([1.0, -1, 1])[:, None, None]
    torch.testing.assert_close(other, want, atol=1e-5, rtol=0)
    torch.testing.assert_close(mirror[5], -geometry[5].flip(-1))
    twice = mirrored(mirrored(view))
    assert (twice.K == view.K).all() and np.allclose(twice.R_grav_cam, view.R_grav_cam)


def test_a_window_shows_the_same_points_larger(view):
    rng = np.random.default_rng(3)
    part = window(view, 0.5, rng)
    _, _, points, ids, _ = sample(part)
    chair = points[:, ids == view.ids[32, 22]]
    _, _, whole, whole_ids, _ = sample(view)
    true = whole[:, whole_ids == view.ids[32, 22]]
    assert part.K[0, 0] == pytest.approx(2 * view.K[0, 0])
    assert chair.shape[1] > 0
    cell = 1.5 / view.K[0, 0]
    assert (chair.amin(1) > true.amin(1) - cell).all() and (
        chair.amax(1) < true.amax(1) + cell
    ).all()
    small = window(view, 1.25, rng)
    assert (small.q == 0).mean() > 0.3 and small.ids.max() == view.ids.max()


def test_size_and_tilt_change_places_as_they_say(view):
    larger, turned = resized(view, 1.25), tilted(view, (0.0, 0.1))
    torch.testing.assert_close(sample(larger)[2], 1.25 * sample(view)[2], atol=1e-5, rtol=0)
    assert larger.floor_z == pytest.approx(1.25 * view.floor_z)
    up = turned.normals[45, 5]  # of the floor
    assert np.arccos(up[2]) == pytest.approx(0.1, abs=0.02)


def test_changes_are_the_same_for_the_same_seed_and_never_break_the_truth(view):
    config = SampleConfig(floor_lost=1.0, holes=1.0)
    a, b = (augmented(view, config, np.random.default_rng(5)) for _ in range(2))
    for field in dataclasses.fields(View):
        assert np.array_equal(getattr(a, field.name), getattr(b, field.name))
    assert a.floor_z is None and (a.q == 0).sum() > (view.q == 0).sum()
    assert set(np.unique(a.ids)) <= set(np.unique(view.ids))
    geometry, picture, _, ids, kinds = sample(a)
    assert torch.isfinite(geometry).all() and torch.isfinite(picture).all()
    unknown = torch.from_numpy(a.q == 0)
    assert (kinds[unknown] == UNKNOWN).all() and (ids[unknown] == 0).all()


LUMA = [0.299, 0.587, 0.114]  # of red, green and blue
UNCHANGED = {"colour_lost": 0, "grey": 0, "swapped": 0, "shifted": 0, "light": 0, "tint": 0,
             "shade": 0, "grain": 0}  # fmt: skip


def changed_colour(color, seed=0, **changes):
    config = SampleConfig(**UNCHANGED | changes)
    return recoloured(color, config, np.random.default_rng(seed))


def test_colours_change_as_they_say():
    rng = np.random.default_rng(1)
    color = rng.integers(40, 200, (12, 16, 3)).astype(np.uint8)
    assert np.array_equal(changed_colour(color), color)
    assert changed_colour(color, colour_lost=1) is None and changed_colour(None) is None
    grey = changed_colour(color, grey=1)
    assert (grey == grey[..., :1]).all() and np.abs(grey[..., 0] - color @ LUMA).max() <= 0.52
    swapped = changed_colour(color, seed=3, swapped=1)
    assert not np.array_equal(swapped, color)
    assert np.array_equal(np.sort(swapped, 2), np.sort(color, 2))
    tinted = changed_colour(color, tint=0.2) / color  # one factor for each of the three
    assert tinted.std((0, 1)).max() < 0.01 < tinted.mean((0, 1)).std()
    darker = changed_colour(color, light=0.3)
    order = np.argsort(color, None)
    assert (np.diff(darker.ravel()[order].astype(int)) >= 0).all()
    assert not np.array_equal(darker, color)
    for change in ({"shade": 0.1}, {"grain": 0.02}, {"shifted": 1.5}):
        off = changed_colour(color, **change).astype(float) - color
        assert off.any() and np.abs(np.median(off)) < 20


def test_colour_goes_where_its_cells_go(view):
    rows, cols = np.indices([PICTURE * n for n in view.q.shape])
    fine = view.ids.repeat(PICTURE, 0).repeat(PICTURE, 1)
    view = dataclasses.replace(view, picture=np.stack([rows, cols, fine * 90], 2).astype(np.uint8))
    mirror, part = mirrored(view), window(view, 0.5, np.random.default_rng(2))
    whole = mirror.ids.repeat(PICTURE, 0).repeat(PICTURE, 1)
    assert np.array_equal(mirror.picture[..., 2], whole * 90)
    shown = part.picture[PICTURE // 2 :: PICTURE, PICTURE // 2 :: PICTURE, 2]
    other = shown != part.ids * 90  # halves of cells, beside what the cell shows
    assert part.ids.any() and other.mean() < 0.03
    cells, picture, *_ = sample(view)
    assert cells[10, 30, 7] == pytest.approx(60.5 / 127.5 - 1, abs=0.01) and (cells[13] == 1).all()
    assert picture[0, 60, 15] == pytest.approx((60 - 127) / 128)
    blind = sample(dataclasses.replace(view, picture=None))
    assert (blind[0][10:] == 0).all() and (blind[1] == 0).all()
