"""Overlap, average precision and intervals, by hand."""

import numpy as np
import pytest

from roomcad_offline.metrics import bootstrap
from roomcad_offline.metrics.boxes3d import (
    aligned_iou,
    average_precision,
    box_around,
    votenet_right,
)
from roomcad_offline.metrics.mask_ap import IGNORED, MaskAp, Masks

UNIT = [0, 0, 0, 1, 1, 1]


def test_boxes_that_share_half_have_an_iou_of_a_third():
    half_over = [0.5, 0, 0, 1, 1, 1]
    far = [5, 0, 0, 1, 1, 1]
    got = aligned_iou([UNIT], [UNIT, half_over, far])
    np.testing.assert_allclose(got, [[1, 1 / 3, 0]], atol=1e-9)


def test_the_box_around_a_turned_square_is_larger_by_the_root_of_two():
    c = np.sqrt(0.5)
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 2], [-1, 1, 2]]) / 2
    turned = corners @ np.array([[c, c, 0], [-c, c, 0], [0, 0, 1]])
    np.testing.assert_allclose(box_around(turned), [0, 0, 0.5, 2 * c, 2 * c, 1], atol=1e-12)


def test_no_boxes_at_all_overlap_in_nothing():
    assert aligned_iou([], [UNIT]).shape == (0, 1)
    assert aligned_iou([UNIT], []).shape == (1, 0)


@pytest.mark.parametrize(
    ("right", "true", "ap"),
    [
        ([True, True], 2, 1.0),
        ([False, True], 1, 0.5),
        # Precision 1 up to recall 1/2, then 2/3 (made monotone) up to recall 1.
        ([True, False, True], 2, 0.5 + 0.5 * 2 / 3),
        ([], 3, 0.0),
    ],
)
def test_average_precision_by_hand(right, true, ap):
    assert average_precision(np.array(right, bool), true) == pytest.approx(ap)


def test_a_second_detection_of_a_box_is_wrong_and_takes_no_other():
    beside = [0.1, 0, 0, 1, 1, 1]
    other = [3, 0, 0, 1, 1, 1]
    right = votenet_right(np.array([UNIT, beside, other]), np.array([UNIT, other]), 0.25)
    assert right.tolist() == [True, False, True]
    assert votenet_right(np.array([UNIT]), np.zeros((0, 6)), 0.25).tolist() == [False]


def square(row, column, size=4):
    mask = np.zeros((20, 20), bool)
    mask[row : row + size, column : column + size] = True
    return mask


def image(true, true_class, found, found_class, score):
    empty = np.zeros((0, 20, 20), bool)
    return Masks(
        np.array(true) if true else empty,
        np.array(true_class, int),
        np.array(found) if found else empty,
        np.array(found_class, int),
        np.array(score, float),
    )


def test_mask_ap_of_the_truth_itself_is_one():
    ap = MaskAp(2, (0.25, 0.5))
    true = [square(0, 0), square(10, 10)]
    ap.add(image(true, [0, 1], true, [0, 1], [0.3, 0.9]))
    np.testing.assert_allclose(ap.ap(), 1.0)


def test_mask_ap_counts_a_better_scored_miss_and_ignores_what_is_not_asked_for():
    ap = MaskAp(2, (0.5,))
    ap.add(image([square(0, 0)], [0], [square(0, 0), square(10, 10)], [0, 0], [0.5, 0.9]))
    # COCO takes precision at 101 recalls: 1/2 at each, as the false one comes first.
    assert ap.ap()[0, 0] == pytest.approx(0.5)
    assert np.isnan(ap.ap()[0, 1])
    ignoring = MaskAp(2, (0.5,))
    masks = [square(0, 0), square(10, 10)]
    ignoring.add(image(masks, [0, IGNORED], masks, [0, 0], [0.5, 0.9]))
    assert ignoring.ap()[0, 0] == pytest.approx(1.0)


def test_mask_ap_of_resampled_images():
    ap = MaskAp(1, (0.5,))
    ap.add(image([square(0, 0)], [0], [square(0, 0)], [0], [0.9]))
    ap.add(image([square(0, 0)], [0], [], [], []))
    assert ap.ap(np.array([0, 0]))[0, 0] == pytest.approx(1.0)
    assert ap.ap(np.array([1, 1]))[0, 0] == pytest.approx(0.0)
    # One of two found at precision 1: recalls 0 to 0.5 of the 101.
    assert ap.ap()[0, 0] == pytest.approx(51 / 101)


def test_intervals_lie_around_the_value_and_need_two_rooms():
    counts = np.array([[8, 10], [2, 10], [5, 10], [9, 10], [1, 10]])
    low, high = bootstrap.interval(counts, bootstrap.ratio)
    assert 0.1 <= low < 0.5 < high <= 0.9
    assert bootstrap.interval(counts[:1], bootstrap.ratio) is None
    assert bootstrap.interval(np.zeros((3, 2)), bootstrap.ratio) is None
    assert bootstrap.f1(np.array([2, 3, 5])) == pytest.approx(0.5)
