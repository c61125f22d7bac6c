"""The measurement of the live delay: its figures worked out by hand, and what is fed."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy")

from roomcad_ros import latency  # noqa: E402
from roomcad_ros.latency_figures import (  # noqa: E402
    delay_figures,
    difference,
    passes_of_an_object,
    summary,
)


def test_a_constant_delay_does_not_drift_and_a_growing_one_does():
    when = np.arange(60.0)
    still = delay_figures(np.column_stack([when, np.full(60, 0.1)]))
    assert (still["median_ms"], still["p95_ms"], still["drift_ms_per_minute"]) == (100, 100, 0)
    growing = delay_figures(np.column_stack([when, 0.1 + 0.001 * when]))
    assert growing["drift_ms_per_minute"] == pytest.approx(60)
    assert growing["median_first_third_ms"] == pytest.approx(109.5)
    assert growing["median_last_third_ms"] == pytest.approx(149.5)
    assert growing["max_ms"] == 159


def test_drops_and_passes_are_those_since_the_frames_that_do_not_count():
    before = {"segment": {"dropped: newer_frame": "3"}, "align": {"network passes: tracked": "50"}}
    before["align"]["objects: tracked"] = "10"
    after = {
        "segment": {"dropped: newer_frame": "10", "dropped: too_old": "1", "frames served": "9"},
        "align": {
            "network passes: tracked": "90",
            "objects: tracked": "30",
            "network passes: other": "96",
            "objects: other": "6",
        },
    }
    assert passes_of_an_object(before, after) == 2.0
    assert passes_of_an_object({}, {"align": {}}) is None
    untracked = {k: v for k, v in after["align"].items() if "other" in k}
    assert passes_of_an_object({}, {"align": untracked}) == 16.0
    found = {"segment": {"newer_frame": 10, "too_old": 1}, "align": {}}
    assert difference({"segment": {"newer_frame": 3}}, found) == {
        "segment": {"newer_frame": 7, "too_old": 1},
        "align": {},
    }


def test_only_frames_between_the_first_and_the_last_count():
    stamps = [10.0, 10.5, 11.0]
    delays = {9.5: 9.0, 10.0: 0.1, 11.0 + 1e-9: 0.3, 11.5: 9.0}
    watch = SimpleNamespace(delays=delays, objects={10.0: 4, 11.0: 6, 12.0: 50}, reports={})
    figures = summary(2.0, stamps, watch, {})
    assert (figures["sent"], figures["served"]) == (3, 2)
    assert figures["sent_per_second"] == 2 and figures["frames_per_second"] == 1.33
    assert figures["median_ms"] == 200 and figures["objects"] == 5
    assert figures["window"] == [10.0, 11.5]
    with pytest.raises(TimeoutError, match="no marker"):
        summary(2.0, [20.0, 20.5], watch, {})


def test_a_recording_is_played_forwards_and_backwards_from_where_it_is_asked_to_begin():
    frames = latency.to_and_fro(["a", "b", "c", "d"], 1)
    assert "".join(next(frames) for _ in range(8)) == "bcdcbcdc"
    alone = latency.to_and_fro(["a"], 0)
    assert [next(alone), next(alone)] == ["a", "a"]


def test_frames_keep_their_distance_also_after_one_that_came_late(monkeypatch):
    now, sent = [100.0], []
    clock = SimpleNamespace(time=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s))
    monkeypatch.setattr(latency, "time", clock)

    def publish(frame, stamp):
        sent.append(stamp)
        now[0] += 0.5 if frame == "slow" else 0.0

    bar = SimpleNamespace(update=lambda: None)
    frames = iter(["a", "slow", "b", "c", "d", "left"])
    latency.feed(SimpleNamespace(publish=publish), frames, 10.0, 5, bar)
    np.testing.assert_allclose(np.diff(sent), [0.1, 0.5, 0.1, 0.1], atol=1e-9)
