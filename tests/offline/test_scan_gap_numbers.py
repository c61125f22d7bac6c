"""Scores, taxonomy and attribution of the scan-gap study on numbers made by hand."""

import json

import numpy as np
import pytest

from roomcad_offline.scan_gap import decompose, deployed, published, rows, taxonomy
from roomcad_offline.scan_gap.clouds import CLASSES_8, Clouds, unit_sphere
from roomcad_offline.scan_gap.evaluate import (
    ALIGNED,
    AS_PUBLISHED,
    Prediction,
    Results,
    bootstrap,
    confusion,
    load_results,
    save_results,
    scores,
    turned,
)
from roomcad_offline.scan_gap.scanobjectnn import z_up
from roomcad_offline.scan_gap.state import Study, load_study, save_state
from roomcad_offline.scan_gap.summary import deployed_records, summary
from roomcad_offline.scan_gap.tables import write_tables

LABELS = np.array([2, 2, 2, 2, 5, 5, 6, 6])  # four chairs, two sofas, two tables
FACTS = {"epochs": 3, "planned_epochs": 200, "source": "checkpoint", "classes": list(CLASSES_8)}


def prediction(variant, column, predicted, labels=LABELS, data="toy/obj"):
    return Prediction(variant, column, data, CLASSES_8, labels, np.array(predicted))


def share_right(variant, column, n_right, n=100, data="toy/obj"):
    """A prediction about `n` chairs of which the first `n_right` are right, others bookshelf."""
    said = np.where(np.arange(n) < n_right, 2, 1)
    return prediction(variant, column, said, np.full(n, 2), data)


@pytest.fixture
def study():
    """A baseline with known accuracies, for example .15 on OBJ_ONLY as published, .55 aligned."""
    numbers = [
        ("modelnet40", ALIGNED, 96, "cad"),
        (decompose.TIPPED, ALIGNED, 20, "cad"),
        (decompose.ANY_HEADING, ALIGNED, 70, "cad"),
        ("obj_only", AS_PUBLISHED, 15, "toy/only"),
        ("obj_only", ALIGNED, 55, "toy/only"),
        ("obj_bg", AS_PUBLISHED, 10, "toy/bg"),
        ("obj_bg", ALIGNED, 50, "toy/bg"),
    ]
    found = [share_right(v, c, k, data=d) for v, c, k, d in numbers]
    missing = {"pb_t25": "the h5", "pb_t50_rs": "the h5", "sunrgbd": "the npz"}
    return Study({"baseline": Results("baseline", FACTS, found)}, missing=missing)


def test_scores_by_hand():
    s = scores(prediction("obj_bg", ALIGNED, [2, 2, 2, 0, 5, 6, 6, 6]))
    assert (s["n"], s["top1"]) == (8, 0.75)
    assert s["mean_per_class"] == pytest.approx((0.75 + 0.5 + 1) / 3, abs=1e-4)
    assert s["best"] == ("table", 1.0) and s["worst"] == ("sofa", 0.5)
    assert s["per_class"]["chair"] == {"n": 4, "accuracy": 0.75} and "bed" not in s["per_class"]


def test_ground_truth_as_predictions_scores_100_percent():
    s = scores(prediction("obj_bg", ALIGNED, LABELS))
    assert (s["top1"], s["mean_per_class"], s["interval"]) == (1.0, 1.0, [1.0, 1.0])


def test_bootstrap_interval_is_that_of_a_binomial_share():
    low, high = bootstrap(np.arange(400) < 200)
    assert low == pytest.approx(0.451, abs=0.01) and high == pytest.approx(0.549, abs=0.01)


def test_confusion_rows_sum_to_one_and_absent_classes_are_nan():
    table = confusion(prediction("obj_bg", ALIGNED, [2, 2, 2, 0, 5, 6, 6, 6]))
    assert table[2, 0] == 0.25 and table[5, 6] == 0.5
    assert np.isnan(table[0]).all() and np.nansum(table, 1)[[2, 5, 6]] == pytest.approx([1, 1, 1])


def test_the_as_published_turn_is_undone_by_the_aligned_column():
    points = unit_sphere(np.random.default_rng(0).normal(size=(2, 50, 3)))
    np.testing.assert_array_equal(z_up(turned(points, AS_PUBLISHED)), points)
    np.testing.assert_array_equal(turned(points, ALIGNED), points)


def test_results_survive_the_disk_and_damage_is_named(tmp_path):
    path = tmp_path / "baseline.json"
    save_results(Results("baseline", FACTS, [prediction("obj_bg", ALIGNED, LABELS)]), path)
    loaded = load_results(path)
    assert loaded.facts == FACTS and loaded.get("obj_bg", ALIGNED).right.all()
    assert loaded.get("obj_bg", AS_PUBLISHED) is None
    path.write_text(path.read_text()[:80])
    with pytest.raises(ValueError, match="baseline.json: not the predictions"):
        load_results(path)


def test_attribution_by_hand(study):
    parts = decompose.attribution(study.results["baseline"])
    values = {name: part.value for name, part in parts.items()}
    assert values == {
        "gap": 0.81,
        "scan": 0.41,
        "axis": 0.40,
        "axis_first": 0.76,
        "scan_second": 0.05,
        "heading": 0.26,
        "sensor": 0.15,
        "background": 0.05,
        "background_tilted": 0.05,
        "axis_bg": 0.40,
    }
    axis, scan = decompose.split(parts)
    assert (axis, scan) == pytest.approx((0.58, 0.23)) and axis + scan == pytest.approx(0.81)
    assert decompose.split_of_post(parts) == pytest.approx((82 * 0.58 / 0.81, 82 * 0.23 / 0.81))


def test_without_the_control_only_one_order_counts(study):
    parts = decompose.attribution(study.results["baseline"])
    del parts["axis_first"]
    assert decompose.split(parts) == (0.40, 0.41)


def test_differences_on_the_same_objects_are_paired():
    right = np.arange(100) % 2 == 0
    assert decompose.difference(right, right, paired=True) == (0.0, [0.0, 0.0])
    _, (low, high) = decompose.difference(right, right, paired=False)
    assert low < -0.05 and high > 0.05


def test_class_mix_weights_the_cad_accuracy():
    cad = prediction("modelnet40", ALIGNED, [2, 2, 2, 2, 5, 0, 6, 6])  # chair 1, sofa .5, table 1
    real = prediction("obj_only", ALIGNED, [5] * 4, np.array([5, 5, 5, 2]))
    assert decompose.same_mix(cad, real) == pytest.approx((3 * 0.5 + 1) / 4)


def test_tables_put_published_numbers_beside_ours_and_name_what_was_not_run(study, tmp_path):
    table = {(r["variant"], r["column"]): r for r in rows.by_variant(study)}
    row = table["obj_only", AS_PUBLISHED]
    assert (row["top1"], row["published_top1"], row["published_n"]) == (0.15, 0.144, 334)
    assert table["pb_t25", ALIGNED]["note"] == "not run: the h5"
    recipes = {r["recipe"]: r["note"] for r in rows.retraining(study)}
    assert recipes["yaw32"] == "not run: recipe yaw32 is not trained"
    write_tables(study, tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "UNFINISHED: 3 of 200 epochs" in text and "about 59 are the axis convention" in text
    assert (tmp_path / "scan-eval-by-variant.csv").read_text().count("\n") == 12


def test_summary_holds_every_published_number_of_the_post(study, tmp_path):
    records = summary(study)
    json.dumps(records)
    names = [r["name"] for r in records]
    assert len(set(names)) == len(names)
    keys = {"name", "ours", "published", "n", "interval", "data", "note"}
    assert all(set(r) == keys for r in records)
    by_name = {r["name"]: r for r in records}
    assert by_name["table1/obj_only/as_published/top1"]["ours"] == 0.15
    assert by_name["parameters/8 classes"]["ours"] == published.PARAMETERS_8
    known = {r["published"] for r in records}
    for table in (published.ABLATIONS.values(), published.ELEVEN_SIM_TO_REAL.values()):
        assert {v for values in table for v in values.values()} <= known
    assert {v for _, *row in published.TABLE_1.values() for v in row} <= known
    assert {*published.RETRAINING.values(), *published.TAXONOMY.values()} <= known


def test_an_empty_study_still_makes_all_tables(tmp_path):
    records = write_tables(Study(), tmp_path)
    assert "not run" in (tmp_path / "README.md").read_text().lower()
    measured = [r["name"] for r in records if r["ours"] not in (None, "not run")]
    assert all(name.startswith(("parameters", "reproducibility")) for name in measured)


def test_state_survives_the_disk(study, tmp_path):
    study.failures = [{"column": "all", "object": 1, "true": "bed", "mechanism": "noise"}]
    save_state(study, tmp_path)
    save_results(study.results["baseline"], tmp_path / "predictions" / "baseline.json")
    again = load_study(tmp_path)
    assert again.missing == study.missing and again.failures[0]["mechanism"] == "noise"
    assert again.results["baseline"].get("obj_only", AS_PUBLISHED).right.sum() == 15
    with pytest.raises(FileNotFoundError, match="scan-gap evaluate"):
        load_study(tmp_path / "elsewhere")


@pytest.fixture
def boxes():
    """Twenty box-shaped CAD clouds of class chair."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (20, 1024, 3))
    side = rng.integers(3, size=(20, 1024, 1))
    np.put_along_axis(points, side, np.sign(np.take_along_axis(points, side, 2)), 2)
    return Clouds("boxes", unit_sphere(points), np.full(20, 2), CLASSES_8)


def test_mechanisms_are_found_where_they_were_made(boxes):
    usual = taxonomy.baseline(boxes)
    limits = usual.coverage["chair"], usual.roughness["chair"]
    rng = np.random.default_rng(4)
    box = boxes.points[0]

    def found(points, mask=None):
        return taxonomy.mechanism(taxonomy.measure(points, mask), *limits)

    assert found(box) == "confusion"
    assert found(box, np.arange(1024) < 100) == "background"
    assert found(box, np.arange(1024) < 99) == "confusion"  # 100 of 1,024 is the limit
    assert found(box[box[:, 2] > 0.3]) == "occlusion"
    assert found(box + rng.normal(0, 0.08, box.shape)) == "noise"
    apart = box / 4
    apart[:150] += [0.9, 0, 0]
    assert found(apart) == "background"  # without a mask: a loose piece


def test_background_comes_before_occlusion(boxes):
    usual = taxonomy.baseline(boxes)
    box = boxes.points[0]
    half = box[box[:, 0] > 0.3]
    measured = taxonomy.measure(half, np.arange(len(half)) < len(half) // 4)
    assert measured["coverage"] < usual.coverage["chair"]
    assert taxonomy.mechanism(measured, usual.coverage["chair"], 1.0) == "background"


def test_taxonomy_takes_errors_only_and_at_most_n(boxes):
    said = np.where(np.arange(20) < 8, 2, 0)
    p = prediction("obj_bg", ALIGNED, said, boxes.labels)
    table = taxonomy.taxonomy(boxes, p, taxonomy.baseline(boxes), n=5)
    assert len(table) == 5 and all(r["object"] >= 8 for r in table)
    assert {(r["true"], r["predicted"]) for r in table} == {("chair", "bed")}
    assert table == taxonomy.taxonomy(boxes, p, taxonomy.baseline(boxes), n=5)
    assert sum(taxonomy.shares(table).values()) == pytest.approx(1)


def test_the_deployed_classifier_s_results_stand_beside_the_post_s(tmp_path):
    record = {
        "real": [
            {"data": "real_scannet_dev/obj_bg", "n": 63, "accuracy": 0.8, "bar": 0.75,
             "interval_95": [0.7, 0.9]},
            {"data": "real_sunrgbd_dev.npz/obj_bg", "not_run": "x is absent"},
        ],
        "rooms": {"crops": {"furniture": 10, "background": 5}, "furniture_kept": 0.96,
                  "background_rejected": 0.85, "class_accuracy": 0.7},
        "calibration": {"ece": 0.03, "crops": 15},
    }  # fmt: skip
    path = tmp_path / "evaluation.json"
    assert deployed.rows(path) == []
    path.write_text(json.dumps(record))
    first, absent, *rest = deployed.rows(path)
    assert (first["ours"], first["post"], first["asked"], first["low"]) == (0.8, 0.458, 0.75, 0.7)
    assert absent["ours"] == "" and absent["note"] == "not run: x is absent"
    assert [r["n"] for r in rest] == [10, 5, 10, 15]
    records = deployed_records([first, absent])
    assert records[0]["published"] == 0.458 and records[0]["interval"] == [0.7, 0.9]
    assert records[1]["ours"] is None
    path.write_text('{"real": 3}')
    with pytest.raises(ValueError, match="classifier evaluate"):
        deployed.rows(path)
