"""The tables of the live nodes' speed (bench_nodes) as Markdown."""

WAYS = (("nodes", "three"), ("one_process", "one (`composition:=true`)"))
TARGET = 8.0, 300.0  # frames a second in steady state, p95 from image to marker [ms]


def nodes_lines(record):
    """Both ways to run the stages: without tracks, in steady state, and overloaded."""
    three, one = record["nodes"], record["one_process"]
    lines = [
        f"Live nodes over DDS, {three['rate']:g} frames/s sent, image stamp to marker:",
        "",
        "| nodes | served | frames/s | median [ms] | p95 [ms] | CPU a frame [ms] | memory [MB] |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, name in WAYS:
        n = record[key]
        lines.append(
            f"| {name} | {n['served']} of {n['sent']} | {n['frames_per_second']} | "
            f"{n['median_ms']} | {n['p95_ms']} | {n['cpu_ms']} | {n['memory_mb']} |"
        )
    lines += ["", saving(three, one)]
    if "tracked" in record:
        lines += ["", *steady_lines(record["tracked"]), "", *overload_lines(record["tracked"])]
    return lines


def steady_lines(tracked):
    """What they manage once the objects are known."""
    lines = [
        "With objects followed (`tracks:=true`), the same recording from frame"
        f" {tracked['first']} on, played to and fro; the first {tracked['settle_s']:g} s, in which"
        " the objects are new, do not count:",
        "",
        "| nodes | frames/s sent | served | frames/s | tracked objects a frame | network passes an"
        " object | median [ms] | p95 [ms] | CPU a frame [ms] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, name in WAYS:
        for n in tracked[key][:-1]:
            lines.append(
                f"| {name} | {n['sent_per_second']} | {n['served']} of {n['sent']} | "
                f"{n['frames_per_second']} | {n['objects']} | {n['passes']} | {n['median_ms']} | "
                f"{n['p95_ms']} | {n['cpu_ms']} |"
            )
    return [*lines, "", verdict(tracked)]


def verdict(tracked):
    """Whether the aim is reached, as a sentence."""
    rate, limit = TARGET
    reached = [
        name
        for key, name in WAYS
        if any(
            n["frames_per_second"] >= 0.99 * rate and n["p95_ms"] <= limit
            for n in tracked[key][:-1]
        )
    ]
    text = f"{rate:g} frames/s in steady state with a p95 of at most {limit:g} ms"
    return f"The aim, {text}, is reached by: {', '.join(reached) or 'none'}."


def overload_lines(tracked):
    """What happens to a camera that is faster than they are."""
    lines = [
        f"Overload: {tracked['nodes'][-1]['rate']:g} frames/s sent; the newest frame wins:",
        "",
        "| nodes | frames/s sent | frames/s served | median [ms] | p95 [ms] | max [ms] | median of"
        " the first third, of the last [ms] | drift [ms/min] | dropped |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, name in WAYS:
        n = tracked[key][-1]
        thirds = f"{n['median_first_third_ms']}, {n['median_last_third_ms']}"
        lines.append(
            f"| {name} | {n['sent_per_second']} | {n['frames_per_second']} | {n['median_ms']} | "
            f"{n['p95_ms']} | {n['max_ms']} | {thirds} | {n['drift_ms_per_minute']:+} | "
            f"{dropped(n)} |"
        )
    return lines


def dropped(record):
    """Frames that were not served, by node and reason."""
    found = [
        f"{node}: {reason} {n}"
        for node, reasons in record["dropped"].items()
        for reason, n in reasons.items()
    ]
    return ", ".join(found) or "none"


def saving(three, one):
    """What one process saves, as a sentence; negative numbers say that it costs."""
    shares = {
        "of the median delay": "median_ms",
        "of the processor time": "cpu_ms",
        "of the memory": "memory_mb",
    }
    parts = [f"{100 * (1 - one[k] / three[k]):.0f} % {text}" for text, k in shares.items()]
    return f"One process saves {', '.join(parts)}."
