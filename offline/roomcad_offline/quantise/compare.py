"""How near a network in int8 comes to the one in float32, and how much faster it is here."""

import time

import numpy as np

from roomcad_core.engine import OpenVinoEngine

LABELS = {"logits": -1, "kinds": 1}  # outputs of which the largest names a class: their axis
ROUNDS = 30  # calls that are timed


def compare(exact, rough, feeds):
    """{figure: value} of two ONNX files of one network.

    `difference` is the mean absolute difference of an output over its standard deviation,
    `same_class` the share of largest logits that are the same ones.
    """
    engines = [OpenVinoEngine(path, threads=1) for path in (exact, rough)]
    answers = [[engine(f) for f in feeds] for engine in engines]
    outputs = {}
    for name in engines[0].outputs:
        a, b = (np.concatenate([x[name] for x in some]) for some in answers)
        outputs[name] = {"difference": round(float(np.abs(a - b).mean() / a.std()), 4)}
        if name in LABELS:
            same = a.argmax(LABELS[name]) == b.argmax(LABELS[name])
            outputs[name]["same_class"] = round(float(same.mean()), 4)
    seconds = np.median([[_seconds(e, feeds[i % len(feeds)]) for e in engines]
                         for i in range(ROUNDS)], axis=0)  # fmt: skip
    return {
        "compared": len(feeds),
        "f32_ms": round(1000 * float(seconds[0]), 2),
        "int8_ms": round(1000 * float(seconds[1]), 2),
        "times_as_fast": round(float(seconds[0] / seconds[1]), 2),
        "outputs": outputs,
    }


def _seconds(engine, feeds):
    start = time.perf_counter()
    engine(feeds)
    return time.perf_counter() - start


def markdown(record):
    """The table of {name: record of compare}."""
    lines = [
        "# Networks in int8",
        "",
        "Against float32, one thread of this CPU; inputs of rooms that the scales were not taken"
        " from. Difference: mean, over the output's standard deviation.",
        "",
        "| network | output | difference | same class | f32 [ms] | int8 [ms] | times as fast |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in record["networks"].items():
        times = f"{row['f32_ms']} | {row['int8_ms']} | {row['times_as_fast']}"
        for output, found in row["outputs"].items():
            same = found.get("same_class", "")
            lines.append(f"| {name} | {output} | {found['difference']} | {same} | {times} |")
            name, times = "", " | "
    rooms = f"Scales: {record['scales_from']}; compared: {record['compared_in']}"
    lines += ["", f"CPU: {record['cpu']}. {rooms}."]
    return "\n".join(lines) + "\n"
