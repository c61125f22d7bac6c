"""The figures of a soak run: memory slope of each process, drops by reason, drift of the delay."""

import json
import os

import numpy as np

WARM_UP = 0.25  # share of the run that does not count: caches fill, networks are compiled


def write_report(args, sent, monitor):
    """Write soak.json and soak.png into args.out; returns the figures as text."""
    figures = summary(args, sent, monitor)
    (args.out / "soak.json").write_text(json.dumps(figures, indent=1) + "\n")
    draw(monitor, sent[0], args.out / "soak.png")
    return as_text(figures)


def summary(args, sent, monitor):
    """Everything that was measured, as plain values."""
    answers = [(stamp, delay) for stamp, delay in monitor.answers if stamp >= sent[0] - 1e-3]
    if not answers:
        raise TimeoutError(f"no alignments came back; {args.out}/nodes.log says why")
    span = sent[-1] - sent[0]
    return {
        "minutes": round(span / 60, 1),
        "rate": args.rate,
        "recordings": [path.name for path in args.rooms],
        "cores": os.cpu_count(),
        "load_average": [round(v, 1) for v in os.getloadavg()],
        "sent": len(sent),
        "answered": len(answers),
        "answers_per_second": round(len(answers) / span, 2),
        "restarts": monitor.restarts,
        "delay_ms": delay_figures(np.array(answers) - [sent[0], 0]),
        "memory_mb": memory_figures(monitor.samples),
        "dropped": counted(monitor.reports, "dropped: "),
        "warned": counted(monitor.reports, "warned: "),
        "tracks_ended": counted(monitor.reports, "tracks ended: "),
    }


def delay_figures(answers):
    """Image stamp -> alignments, from (N, 2) seconds after the start, delay [s]."""
    answers = answers[answers[:, 0] >= WARM_UP * answers[-1, 0]]
    when, ms = answers[:, 0], 1000 * answers[:, 1]
    quarter = max(len(ms) // 4, 1)
    return {
        "median": round(float(np.median(ms)), 1),
        "p95": round(float(np.percentile(ms, 95)), 1),
        "max": round(float(ms.max()), 1),
        "median_first_quarter": round(float(np.median(ms[:quarter])), 1),
        "median_last_quarter": round(float(np.median(ms[-quarter:])), 1),
        "drift_per_hour": round(3600 * slope(when, ms), 1),
    }


def memory_figures(samples):
    """{node: {"first", "last", "slope_per_hour"}} of private memory [MB]."""
    found = {}
    for name in sorted({name for sample in samples for name in sample["mb"]}):
        points = [(s["seconds"], s["mb"][name]) for s in samples if name in s["mb"]]
        kept = np.array([p for p in points if p[0] >= WARM_UP * points[-1][0]])
        found[name] = {
            "first": round(points[0][1], 1),
            "last": round(points[-1][1], 1),
            "slope_per_hour": round(3600 * slope(*kept.T), 1),
        }
    return found


def slope(x, y):
    """Slope of the least-squares line; 0 for a single point."""
    return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 else 0.0


def counted(reports, prefix):
    """{node: {reason: number}} of the last diagnostics."""
    return {
        node: {k.removeprefix(prefix): int(v) for k, v in values.items() if k.startswith(prefix)}
        for node, values in sorted(reports.items())
    }


def as_text(figures):
    """The figures in a few lines."""
    delay = figures["delay_ms"]
    lines = [
        f"{figures['minutes']} min at {figures['rate']:g} frames/s: {figures['answered']} of"
        f" {figures['sent']} frames answered, {figures['restarts']} restarts",
        f"image stamp to alignments: median {delay['median']} ms, p95 {delay['p95']} ms,"
        f" drift {delay['drift_per_hour']:+} ms/h",
    ]
    for node, mb in figures["memory_mb"].items():
        lines.append(f"{node}: {mb['last']} MB, {mb['slope_per_hour']:+} MB/h")
    for node, reasons in figures["dropped"].items():
        lines.append(
            f"{node} dropped: " + (", ".join(f"{k} {n}" for k, n in reasons.items()) or "0")
        )
    return "\n".join(lines)


def draw(monitor, start, path):
    """Memory and delay over time."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{path} needs matplotlib: pip install matplotlib") from error
    figure = Figure(figsize=(9, 7))
    top, bottom = figure.subplots(2, 1, sharex=True)
    for name in sorted({name for sample in monitor.samples for name in sample["mb"]}):
        points = [(s["seconds"], s["mb"][name]) for s in monitor.samples if name in s["mb"]]
        top.plot([t / 60 for t, _ in points], [mb for _, mb in points], label=name)
    top.set_ylabel("private memory [MB]")
    top.set_ylim(bottom=0)
    top.legend()
    answers = np.array([a for a in monitor.answers if a[0] >= start - 1e-3])
    bottom.plot((answers[:, 0] - start) / 60, 1000 * answers[:, 1], ".", ms=2)
    bottom.set_ylabel("image stamp to alignments [ms]")
    bottom.set_ylim(bottom=0)
    bottom.set_xlabel("minutes")
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
