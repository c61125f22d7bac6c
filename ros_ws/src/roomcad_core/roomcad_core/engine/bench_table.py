"""Results of bench.measure as a table."""

from roomcad_core.engine.bench import NEAR_DEG, NEAR_M

TIMES = {
    "new_ms": "new image [ms]",
    "same_ms": "same image [ms]",
    "new_gpu_ms": "GPU, upload [ms]",
    "same_gpu_ms": "GPU, no upload [ms]",
}
NOTE = (
    "Floor: operations, or bytes, of a call over the peak that the same engine reaches, and what "
    "share of the time that is. "
    f"Near: within {NEAR_M * 100:g} cm and {NEAR_DEG:g} degree of float32."
)


def markdown(record):
    """Text with the table; times are median (95th percentile)."""
    about = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
    rows = record["results"]
    times = [key for key in TIMES if any(key in row for row in rows)]
    head = ["file", "precision", "sizes", *(TIMES[key] for key in times), "floor [ms]", "share"]
    head += ["x f32", "images/s of cameras", "poses near f32", "largest difference"]
    lines = [
        f"Median (95 %) of {record['rounds']} calls; {about}; maps: {record['maps']}.",
        f"{_peaks(record['peaks'])} {NOTE}",
        "",
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
    ]
    return "\n".join([*lines, *(f"| {' | '.join(_cells(r, rows, times))} |" for r in rows), ""])


def _peaks(peaks):
    texts = [
        f"{name} {peak['operations'] / 1e12:.3g} TFLOP/s, {peak['bytes'] / 1e9:.3g} GB/s"
        for name, peak in peaks.items()
        if peak
    ]
    lacks = [name for name, peak in peaks.items() if not peak]
    return f"Peaks: {'; '.join(texts)}." + (f" Not done here: {', '.join(lacks)}." if lacks else "")


def _cells(row, rows, times):
    alike = (r for r in rows if (r["file"], r["sizes"]) == (row["file"], row["sizes"]))
    exact = next(r for r in alike if r["precision"] == "f32")
    gain = exact["same_ms"]["median"] / row["same_ms"]["median"]
    near = f"{row['poses_near']:.4f} of {row['poses']}" if "poses" in row else ""
    return [
        row["file"],
        row["precision"],
        " ".join(f"{axis} {size}" for axis, size in row["sizes"].items()),
        *(f"{row[key]['median']:.3f} ({row[key]['p95']:.3f})" for key in times),
        f"{row['floor_ms']:.3g}",
        f"{100 * row['floor_ms'] / min(row[key]['median'] for key in times):.0f} %",
        f"{gain:.2f}",
        ", ".join(f"{count}: {rate:g}" for count, rate in row.get("cameras", {}).items()),
        near,
        f"{max(row['largest_difference'].values()):.2g}",
    ]
