"""The record of `make bench` as a page."""

from roomcad_offline.bench_engines import engine_lines
from roomcad_offline.bench_nodes_table import nodes_lines


def markdown(record):
    """The figures as Markdown."""
    stages, reference = record["stages"], record["reference_ms"]
    cpu = record["machine"]
    lines = [
        f"Measured on {cpu['cores']} cores of {cpu['cpu']}; reference (1024² float32 matrix "
        f"product) {reference} ms.",
        "",
        f"Pipeline in one process, {stages['frames']} frames of {stages['image'][0]}x"
        f"{stages['image'][1]}, {stages['alignments_per_frame']} alignments a frame: "
        f"**{stages['frames_per_second']} frames/s**.",
        "",
        "| stage | median [ms] | p95 [ms] | median / reference |",
        "| --- | --- | --- | --- |",
    ]
    for name, ms in stages["ms"].items():
        ratio = ms["median"] / reference
        lines.append(f"| {name} | {ms['median']} | {ms['p95']} | {ratio:.1f} |")
    ms = record["icp"]["ms"]["align"]
    ratio = stages["ms"]["align"]["median"] / ms["median"]
    lines += ["", f"The ICP baseline aligns in {ms['median']} ms ({ms['p95']} ms p95): Multi-SPARC "
              f"takes {ratio:.2f} of its time."]  # fmt: skip
    lines += ["", classifier_line(record["classifier"])]
    lines += ["", *alignment_lines(record["alignment"])]
    lines += ["", *engine_lines(record["networks"])]
    lines += ["", training_line(record["training"])]
    if "nodes" in record:
        lines += ["", *nodes_lines(record)]
    return "\n".join(lines) + "\n"


def classifier_line(c):
    """The classifier's inference as a sentence."""
    return (
        f"Classifier, {c['crops']} crops of {c['points']} points in one batch"
        f" ({c['engine']} {c['precision']}): "
        f"**{c['ms']['median']} ms** median, {c['ms']['p95']} ms p95."
    )


def alignment_lines(record):
    """The alignment loop's times as lines."""
    if "not_run" in record:
        return [f"Multi-SPARC: not run: {record['not_run']}."]
    from roomcad_offline.multi_sparc.speed import markdown as table

    return table(record)


def training_line(t):
    """The training speed as a sentence."""
    if "not_run" in t:
        return f"Training speed: not run: {t['not_run']}."
    return (
        f"Training the scan-gap PointNet, forward and backward: **{t['clouds_per_second']} "
        f"clouds/s** ({t['ratio']} x a plain Conv1d float32 loop at "
        f"{t['plain_clouds_per_second']}), so 200 epochs take {t['minutes_for_200_epochs']} min; "
        f"{100 * t['share_of_peak']:.0f} % of the bfloat16 matrix-product peak of "
        f"{t['peak_gflops_bf16']} GFLOP/s, by the operations of the plain network "
        f"(float32 peak: {t['peak_gflops_fp32']})."
    )
