"""The figures of a run of roomcad_ros.latency at one rate."""

import numpy as np

from roomcad_ros.soak_report import counted, slope


def summary(rate, stamps, stopwatch, before):
    """What became of the frames with these stamps [s], as plain values.

    Args:
        rate: frames a second that were to be sent.
        stopwatch: latency.Stopwatch.
        before: its reports when the first of these frames was sent.
    """
    answers = within(stopwatch.delays, stamps)
    if not answers:
        raise TimeoutError("no marker came back; do the nodes run, and on this ROS_DOMAIN_ID?")
    span = stamps[-1] - stamps[0]
    period = span / max(len(stamps) - 1, 1) or 1 / rate
    objects = [n for _, n in within(stopwatch.objects, stamps)]
    after = stopwatch.reports
    return {
        "rate": rate,
        "sent": len(stamps),
        "sent_per_second": round(1 / period, 2),
        "served": len(answers),
        "frames_per_second": round(len(answers) / (span + period), 2),
        **delay_figures(np.array(answers)),
        "objects": round(float(np.mean(objects)), 2) if objects else None,
        "passes": passes_of_an_object(before, after),
        "dropped": difference(counted(before, "dropped: "), counted(after, "dropped: ")),
        "window": [stamps[0], stamps[-1] + period],
    }


def within(values, stamps):
    """Sorted (stamp, value) of {stamp: value} from the first of `stamps` to the last."""
    first, last = stamps[0] - 1e-6, stamps[-1] + 1e-6  # messages have nanoseconds
    return sorted((stamp, value) for stamp, value in values.items() if first <= stamp <= last)


def delay_figures(answers):
    """Milliseconds from (N, 2) stamps and delays [s]: how long, and whether it grows."""
    when, ms = answers[:, 0] - answers[0, 0], 1000 * answers[:, 1]
    third = max(len(ms) // 3, 1)
    figures = {
        "median_ms": np.median(ms),
        "p95_ms": np.percentile(ms, 95),
        "max_ms": ms.max(),
        "median_first_third_ms": np.median(ms[:third]),
        "median_last_third_ms": np.median(ms[-third:]),
        "drift_ms_per_minute": 60 * slope(when, ms),
    }
    return {name: round(float(value), 1) for name, value in figures.items()}


def passes_of_an_object(before, after):
    """Mean passes of the network for an object and frame between two reports of the nodes.

    Of followed objects where there are any, else of all. None where no object was aligned.
    """
    names = "objects: ", "network passes: "
    objects, passes = (difference(*(counted(r, name) for r in (before, after))) for name in names)
    for kind in ("tracked", "other"):
        n = sum(found.get(kind, 0) for found in objects.values())
        if n:
            return round(sum(found.get(kind, 0) for found in passes.values()) / n, 2)
    return None


def difference(before, after):
    """{node: {name: number}} by which `after` is more than `before`, where it is."""
    grown = {
        node: {name: n - before.get(node, {}).get(name, 0) for name, n in counts.items()}
        for node, counts in after.items()
    }
    return {node: {k: n for k, n in counts.items() if n > 0} for node, counts in grown.items()}
