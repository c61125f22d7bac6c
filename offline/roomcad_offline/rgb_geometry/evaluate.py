"""Judges a network on images: metrics beside the trivial predictors', uncertainty, pictures."""

import json
from pathlib import Path

import numpy as np
import torch

from roomcad_core.rgb_geometry.model_files import DEPTH
from roomcad_offline.rgb_geometry.metrics import expected_and_actual, make_metrics, make_sureness
from roomcad_offline.rgb_geometry.trivial import trivial_map

BATCH = 4


def judge(network, samples, trivial=None, most=None, progress=False, workers=0):
    """Metrics of a network on Samples.

    Args:
        network: GeometryNetwork; its device is used.
        samples: Samples, unchanged ones.
        trivial: {name: rows} of fit_trivial, judged beside it.
        most: images that are looked at, evenly spread; None = all.
        progress: whether to show a bar.
        workers: processes that read images; 0 = this one.

    Returns:
        {"network": metrics, trivial's name: metrics, ..., "sureness": rows of metrics.Sureness}.
    """
    from tqdm import tqdm

    task, device = network.config.task, next(network.parameters()).device
    trivial = trivial or {}
    metrics = {name: make_metrics(task) for name in ("network", *trivial)}
    rows, sureness = {n: np.asarray(r) for n, r in trivial.items()}, make_sureness(task)
    loader = spread_loader(samples, most, workers)
    was_training = network.training
    network.eval()
    for rgb, truth, factor in tqdm(loader, "judged", unit="batch", disable=not progress):
        with torch.no_grad():
            outputs = [out.float().cpu().numpy() for out in network(rgb.to(device))]
        for mean, unsure, true, f in zip(*outputs, truth.numpy(), factor.numpy(), strict=True):
            scale = f if task == DEPTH else 1
            true, mean = true * scale, mean * scale
            metrics["network"].add(mean, true)
            unsure = unsure * scale
            sureness.add(*expected_and_actual(task, mean, unsure, true))
            for name, r in rows.items():
                metrics[name].add(trivial_map(r, true.shape[-1]) * scale, true)
    network.train(was_training)
    return {n: m.result() for n, m in metrics.items()} | {"sureness": sureness.rows()}


def spread_loader(samples, most=None, workers=0):
    """DataLoader of at most so many samples, evenly spread, in order."""
    n = min(most or len(samples), len(samples))
    chosen = np.linspace(0, len(samples) - 1, n).astype(int)
    keys = [[(0, int(i)) for i in chosen[k : k + BATCH]] for k in range(0, n, BATCH)]
    return torch.utils.data.DataLoader(samples, batch_sampler=keys, num_workers=workers)


def evaluate(network, samples, trivial, out, title, most=None, workers=0):
    """Write results.json, uncertainty.png and examples.png into `out`; returns the results."""
    from roomcad_offline.rgb_geometry.figures import draw_examples, draw_sureness

    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    found = judge(network, samples, trivial, most, progress=True, workers=workers)
    found = {"task": network.config.task, "data": title, **found}
    (out / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    draw_sureness(found, out / "uncertainty.png")
    draw_examples(network, samples, out / "examples.png")
    return found


def results_text(found):
    """The metrics as a text table, a row a predictor."""
    rows = {n: m for n, m in found.items() if isinstance(m, dict)}
    columns = list(rows["network"])
    lines = [
        f"| {found['data']} | " + " | ".join(columns) + " |",
        "| --- " * (len(columns) + 1) + "|",
    ]
    for name, row in rows.items():
        values = (f"{row[c]:.3f}" if isinstance(row[c], float) else str(row[c]) for c in columns)
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    return "\n".join(lines)
