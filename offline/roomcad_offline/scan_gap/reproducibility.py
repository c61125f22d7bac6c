"""Table 3: what the study was run with, beside what the post says of its own."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from roomcad_offline.scan_gap import published

PACKAGES = ("torch", "numpy", "scipy", "trimesh", "h5py")


def machine():
    """Processor, cores and package versions of this machine."""
    cpu, info = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if info.exists():
        names = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    return {
        "hardware": f"{os.cpu_count()} cores of {cpu}",
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def rows(study):
    """Table 3: item, ours, published, note."""
    facts = study.results["baseline"].facts if "baseline" in study.results else {}
    cad = study.results["baseline"].get("modelnet40") if facts else None
    config = study.config
    ours = {
        "parameters": facts.get("parameters", published.PARAMETERS_8),
        "optimiser": "Adam 1e-3, cosine schedule",
        "batch": config.get("batch", ""),
        "epochs": _epochs(facts) or config.get("epochs", ""),
        "seed": facts.get("seed") or config.get("seed", ""),
        "points a cloud": config.get("points", ""),
        "training clouds": facts.get("clouds") or "",
        "test clouds": len(cad.labels) if cad else "",
        "minutes a training, baseline": _minutes(study, ("baseline",)),
        "minutes a training, augmented": _minutes(study, ("rot32", "rot32_bg")),
        **study.machine,
    }
    notes = {
        "parameters": published.PARAMETER_NOTE,
        "hardware": "of the evaluation; bfloat16 products in training",
        "minutes a training, baseline": "sum over the epochs; other work ran on the machine",
    }
    names = [*published.REPRODUCIBILITY, *(k for k in ours if k not in published.REPRODUCIBILITY)]
    return [
        {
            "item": name,
            "ours": ours.get(name) if ours.get(name) not in ("", None) else "not run",
            "published": published.REPRODUCIBILITY.get(name, ""),
            "note": notes.get(name, ""),
        }
        for name in names
    ]


def _epochs(facts):
    """Epochs done, and planned where these are more."""
    done, planned = facts.get("epochs"), facts.get("planned_epochs")
    if done is None:
        return None
    return done if done == planned else f"{done} of {planned}"


def _minutes(study, recipes):
    """Training time of the recipes that are there, as text."""
    told = {r: study.results[r].facts.get("seconds") for r in recipes if r in study.results}
    return ", ".join(f"{r} {s / 60:.0f}" for r, s in told.items() if s)
