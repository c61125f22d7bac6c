"""F1 of surfaces and average precision, by hand."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from roomcad_core.pose import affine, rigid, rotation_y
from roomcad_offline.evaluation.ap_mesh import (
    ap_mesh,
    average_precision,
    class_ap,
    mesh_jobs,
    mesh_scores,
)
from roomcad_offline.evaluation.image_accuracy import Judged
from roomcad_offline.evaluation.image_truth import from_rows
from roomcad_offline.evaluation.mesh_f1 import (
    MeshJob,
    MeshRule,
    SurfaceSampler,
    f1_scores,
    sample_surface,
    score_job,
)
from roomcad_offline.evaluation.records import Predictions

CHAIR = "03001627"
PLANE = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
PLANE_FACES = np.array([[0, 1, 2], [0, 2, 3]])


def plane(category, cad_id):
    if cad_id != "plane":
        raise KeyError(f"no CAD {cad_id}")
    return PLANE, PLANE_FACES


def f1(M, s=(1, 1, 1), rule=None):
    """F1 of a plane mapped by M against the plane of scale s, in its frame."""
    rule = rule or MeshRule()
    job = MeshJob(CHAIR, "plane", np.array(s, float), np.array([0]), ((CHAIR, "plane"),), M[None])
    scores, failed = score_job(job, SurfaceSampler(plane, rule), rule)
    assert not failed
    return scores[0]


def moved(*t):
    return rigid(np.eye(3), np.array(t, float))


def test_same_surface_has_f1_1():
    assert f1(np.eye(4)) == pytest.approx([1, 1, 1], abs=1e-7)


def test_plane_moved_along_its_normal_is_all_or_nothing():
    # A plane of side 1 is scaled to 10: a distance of 0.04 becomes 0.4, between 0.3 and 0.5.
    # With the same samples every nearest point is exactly 0.4 away.
    assert f1(moved(0, 0, 0.04)) == pytest.approx([0, 1, 1], abs=1e-7)
    assert f1(moved(0, 0, 0.071)) == pytest.approx([0, 0, 0])


def test_plane_moved_along_itself_loses_the_strip_that_overhangs():
    # Moved by a fifth: 2 of 10. Points up to rho beyond the border still have a partner, so the
    # share is (8 + rho) / 10 for precision and recall, less a little at the border's sampling.
    got = f1(moved(0.2, 0, 0))
    assert got == pytest.approx([0.83, 0.85, 0.87], abs=0.012)


def test_scale_of_the_true_cad_sets_the_unit():
    # A plane of 2 m: 0.08 m is the same share as 0.04 m of a plane of 1 m.
    M = affine(moved(0, 0, 0.08), np.array([2.0, 2, 2]))
    assert f1(M, (2, 2, 2)) == pytest.approx([0, 1, 1], abs=1e-7)


def test_plane_of_half_the_width_has_full_precision_and_half_the_recall():
    got = f1(affine(np.eye(4), np.array([0.5, 1, 1])))
    for radius, value in zip((0.3, 0.5, 0.7), got, strict=True):
        recall = 0.5 + 2 * radius / 10
        assert value == pytest.approx(2 * recall / (1 + recall), abs=0.02)


def test_f1_does_not_depend_on_where_the_camera_stands():
    # Only the relative pose enters a job; two of the same relative pose, made from two cameras.
    true, predicted = moved(0, 0.1, 2) @ rigid(rotation_y(0.4), np.zeros(3)), moved(0.02, 0.1, 2.03)
    turn = rigid(rotation_y(1.1), np.array([3.0, 1, -2]))
    here = np.linalg.inv(true) @ predicted
    there = np.linalg.inv(turn @ true) @ (turn @ predicted)
    np.testing.assert_allclose(f1(here), f1(there), atol=1e-3)


def test_independent_samples_of_the_same_surface_cost_little_on_a_plane():
    got = f1(np.eye(4), rule=MeshRule(shared=False))
    assert 0.98 < got[0] < 1 and (np.diff(got) >= 0).all()


def test_hand_counted_f1_of_points():
    true = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [9, 0, 0]])
    predicted = np.array([[0.0, 0.2, 0], [1, 0.4, 0]])
    # rho 0.3: precision 1/2, recall 1/4; rho 0.5: precision 1, recall 2/4.
    got = f1_scores(predicted, true, cKDTree(true), (0.3, 0.5))
    assert got == pytest.approx([2 * 0.125 / 0.75, 2 * 0.5 / 1.5])
    far = predicted + 50
    assert f1_scores(far, true, cKDTree(true), (0.3, 0.5)).tolist() == [0, 0]


def test_surface_samples_are_uniform_by_area():
    # Two triangles, areas 1/2 and 3/2, in different planes z.
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [3, 0, 1], [0, 1, 1]], float)
    uniform = np.random.default_rng(0).random((40_000, 3))
    points = sample_surface(vertices, np.array([[0, 1, 2], [3, 4, 5]]), uniform)
    upper = points[:, 2] > 0.5
    assert upper.mean() == pytest.approx(0.75, abs=0.01)
    assert points[~upper].mean(axis=0) == pytest.approx([1 / 3, 1 / 3, 0], abs=0.01)
    assert points[upper].mean(axis=0) == pytest.approx([1, 1 / 3, 1], abs=0.02)
    with pytest.raises(ValueError, match="no surface"):
        sample_surface(np.zeros((3, 3)), np.array([[0, 1, 2]]), uniform)


def test_average_precision_by_hand():
    # Right, wrong, right of four objects: 1/4 at precision 1, 1/4 at the envelope 2/3.
    assert average_precision(np.array([True, False, True]), 4) == pytest.approx((1 + 2 / 3) / 4)
    # The envelope lifts the first: wrong, right, right -> precision 2/3 at both recalls.
    assert average_precision(np.array([False, True, True]), 2) == pytest.approx(2 / 3)
    assert average_precision(np.zeros(0, bool), 3) == 0
    with pytest.raises(ValueError, match="object"):
        average_precision(np.array([True]), 0)


def test_an_object_is_found_once_and_by_its_best_score():
    score = np.array([0.5, 0.9, np.nan, 0.7])
    close, index = np.array([True, True, True, False]), np.array([0, 0, 1, 1])
    # Sorted: 0.9 right, 0.7 wrong, 0.5 wrong (taken), NaN right: (1 + 2/4) / 2.
    assert class_ap(score, close, index, 2) == pytest.approx((1 + 0.5) / 2)


def scene_of(n, library="plane"):
    """n objects in n frames and predictions of them, each moved by 0.01 m more along z."""
    rows, t = [], np.array([[0.1 * i, 0, 2.0] for i in range(n)])
    unit, box = (1.0, 1, 1), np.array([0, 0, 0.5, 0.5])
    for i in range(n):
        names = "scene0000_00", f"{i:06d}", CHAIR, library, "__SYM_NONE", i % 2
        rows.append((*names, t[i], (0, 0, 0, 1.0), unit, box, 1.0, ""))
    truth = from_rows(rows, tuple(("scene0000_00", f"{i:06d}") for i in range(n)), {})
    text = {"scene": truth.scene, "frame": truth.frame, "category": truth.category}
    predictions = Predictions(
        **text, cad_id=truth.cad_id, q=truth.q, s=truth.s, score=np.linspace(1, 0.5, n),
        t=t + np.arange(n)[:, None] * (0, 0, 0.01), space="cam", bad=np.zeros(n, bool),
    )  # fmt: skip
    index, iou = np.arange(n), np.full(n, 0.6)
    errors = np.zeros((n, 3))
    return predictions, Judged(truth, index, iou, errors, errors[:, 0] == 0, np.zeros(n, bool))


def write_plane(folder):
    obj = "".join(f"v {x} {y} {z}\n" for x, y, z in PLANE)
    path = folder / CHAIR / "plane" / "models" / "model_normalized.obj"
    path.parent.mkdir(parents=True)
    path.write_text(obj + "f 1 2 3\nf 1 3 4\n")
    return folder


def test_jobs_join_the_frames_of_one_object():
    predictions, judged = scene_of(4)
    jobs = mesh_jobs(predictions, judged)
    assert [job.rows.tolist() for job in jobs] == [[0, 2], [1, 3]]
    assert jobs[0].M_true_cad[1][:3, 3] == pytest.approx([0, 0, 0.02])
    assert not mesh_jobs(predictions, judged, min_iou=0.6)


def test_ap_of_planes_moved_step_by_step(tmp_path):
    # Offsets 0 to 0.07 m: F1 is 1 up to 0.03 at rho 0.3, 0.05 at 0.5, 0.07 at 0.7 (distances at
    # rho exactly are rounding, so the steps are a little smaller).
    predictions, judged = scene_of(8)
    predictions.t[:, 2] -= np.arange(8) * 1e-4
    scores = mesh_scores(predictions, judged, write_plane(tmp_path), {})
    tables = ap_mesh(predictions, judged, scores)
    assert [t["AP50"] for t in tables] == pytest.approx([50, 75, 100])
    assert [t["APmean"] for t in tables] == pytest.approx([50, 75, 100])
    assert tables[0]["classes"]["chair"]["objects"] == 8


def test_two_processes_give_the_same_scores(tmp_path):
    predictions, judged = scene_of(4)
    folder = write_plane(tmp_path)
    rule = MeshRule(points=500)
    alone = mesh_scores(predictions, judged, folder, {}, rule)
    two = mesh_scores(predictions, judged, folder, {}, rule, processes=2)
    np.testing.assert_array_equal(alone.f1, two.f1)


def test_missing_true_mesh_fails_its_pairs_by_name(tmp_path):
    predictions, judged = scene_of(2, "nowhere")
    scores = mesh_scores(predictions, judged, write_plane(tmp_path), {})
    assert not scores.f1.any()
    assert [row for row, _ in scores.failed] == [0, 1]
    assert "nowhere" in scores.failed[0][1]


def test_ignored_predictions_do_not_lower_the_precision(tmp_path):
    predictions, judged = scene_of(2)
    truth = judged.truth
    reason = truth.reason.astype("U10")
    reason[0] = "hidden"
    object.__setattr__(truth, "reason", reason)
    judged.ignored[0] = True
    scores = mesh_scores(predictions, judged, write_plane(tmp_path), {}, MeshRule(points=500))
    assert [t["AP50"] for t in ap_mesh(predictions, judged, scores)] == [100, 100, 100]
