"""Table 3: the regions that poses to be judged are drawn from, against what is really drawn."""

from __future__ import annotations

import numpy as np

from roomcad_offline.tables.markdown import not_run, number, table

IMAGES, OBJECTS = 2000, 10
SEED = 3
ANGLES = ("tilt", "azimuth", "elevation")


def sampling_record(published):
    """Plain values; without torch only the specification and why it was not measured."""
    try:
        measured = measure()
    except ImportError as error:
        return {"rows": [{"published": r, "drawn": None} for r in published["table3"]],
                "not_run": f"torch is not installed ({error})"}  # fmt: skip
    rows = [
        {"published": row, "drawn": drawn}
        for row, drawn in zip(published["table3"], measured["regions"], strict=True)
    ]
    return {"rows": rows, "poses": measured["poses"], "correct": measured["correct"]}


def measure(images=IMAGES, objects=OBJECTS, seed=SEED):
    """What classifier_poses draws, region by region.

    The regions overlap, so a pose does not tell its own; but the draw of regions comes first, and
    a second generator of the same seed repeats it. That this holds is checked: no pose may leave
    its region.

    Returns:
        dict: "poses", "correct" (share within 20 cm, 20 degrees, 20 %) and "regions", each with
        "share", largest "angles_deg", "translation_cm" and "scale_percent", their mean as a share
        of the largest allowed ("evenness": 0.5 for uniform draws), shares of the four "turns" and
        "correct".

    Raises:
        ValueError: a pose lies outside the region it was drawn from.
    """
    import torch

    from roomcad_offline.multi_sparc.pose import correct, true_pose
    from roomcad_offline.multi_sparc.sampling import REGIONS, classifier_poses

    batch = true_scene(images, objects, seed)
    shares = torch.tensor([region.share for region in REGIONS])
    twin = torch.Generator().manual_seed(seed)
    chosen = torch.multinomial(shares, images * objects, replacement=True, generator=twin).numpy()
    pose = classifier_poses(batch, torch.Generator().manual_seed(seed))
    right = correct(pose, true_pose(batch), batch.symmetry).flatten().numpy()
    angles, turns, T, S = differences(pose, batch, [REGIONS[k] for k in chosen])
    regions = []
    for k, region in enumerate(REGIONS):
        mine = chosen == k
        parts = np.hstack([angles[mine], T[mine] * 100, S[mine] * 100])
        limits = np.array([*region.angles_deg, *[region.translation * 100] * 3,
                           *[region.scale * 100] * 3])  # fmt: skip
        if (parts.max(0) > limits + 1e-2).any():
            raise ValueError(f"region {k + 1}: drew {parts.max(0)}, allowed {limits}")
        counts = np.bincount(turns[mine], minlength=4) / max(mine.sum(), 1)
        regions.append({
            "share": float(mine.mean()),
            "angles_deg": parts.max(0)[:3].tolist(),
            "translation_cm": float(parts[:, 3:6].max()),
            "scale_percent": float(parts[:, 6:].max()),
            "evenness": float((parts / limits).mean()),
            "turns": counts.tolist(),
            "correct": float(right[mine].mean()),
        })  # fmt: skip
    return {"poses": len(chosen), "correct": float(right.mean()), "regions": regions}


def true_scene(images, objects, seed):
    """Batch of objects in random true poses; its maps are empty, nothing looks at them."""
    import torch

    from roomcad_offline.multi_sparc.batch import Batch
    from roomcad_offline.multi_sparc.pose import rotation_about

    draw = torch.Generator().manual_seed(seed + 1)
    shape, size = (images, objects), torch.ones(images, objects, 3)
    turn = torch.rand(shape, generator=draw) * 2 * torch.pi
    maps = {"rgb": 3, "normal": 3, "depth": 1}
    zeros = {name: torch.zeros(images, n, 1, 1) for name, n in maps.items()}
    return Batch(
        **zeros,
        instance=torch.zeros(images, 1, 1, dtype=torch.int16),
        K=torch.eye(3).expand(images, 3, 3),
        valid=torch.ones(shape, dtype=torch.bool),
        box=torch.zeros(images, objects, 4),
        cad_points=torch.zeros(images, objects, 1, 3),
        cad_normals=torch.zeros(images, objects, 1, 3),
        symmetry=torch.ones(shape, dtype=torch.int64),
        size=size,
        size_low=size,
        size_high=size,
        T_gt=torch.rand(images, objects, 3, generator=draw) * 4,
        R_gt=rotation_about(1, turn),
        S_gt=0.3 + torch.rand(images, objects, 3, generator=draw),
        up=torch.tensor([0.0, -1, 0]).expand(images, 3),
    )


def differences(pose, batch, regions):
    """Absolute differences of N drawn poses from the truth.

    Args:
        regions: N Regions; of the quarter turns that a region has, the one is taken for a pose's
            own that keeps the region's angles best.

    Returns:
        angles (N, 3) [deg] tilt, azimuth, elevation without the quarter turns; turns (N,) number
        of quarter turns; T (N, 3) [m]; S (N, 3) relative.
    """
    D = (batch.R_gt.swapaxes(-1, -2) @ pose.R).flatten(0, 1).numpy().astype(float)
    tries = np.stack([angles_of(D @ _quarter(-k)) for k in range(4)])
    tries = np.abs(np.degrees(tries))
    ratio = (tries / np.array([r.angles_deg for r in regions], float)).max(2)
    ratio[1:, [not r.turned for r in regions]] = np.inf
    turns = ratio.argmin(0)
    angles = tries[turns, np.arange(len(D))]
    T = (pose.T - batch.T_gt).abs().flatten(0, 1).numpy()
    S = (pose.S / batch.S_gt - 1).abs().flatten(0, 1).numpy()
    return angles, turns, T, S


def angles_of(E):
    """(N, 3) tilt, azimuth, elevation [rad] of E = R_x(elevation) R_y(azimuth) R_z(tilt)."""
    azimuth = np.arcsin(np.clip(E[:, 0, 2], -1, 1))
    elevation = np.arctan2(-E[:, 1, 2], E[:, 2, 2])
    tilt = np.arctan2(-E[:, 0, 1], E[:, 0, 0])
    return np.stack([tilt, azimuth, elevation], 1)


def _quarter(k):
    """(3, 3) turn about y by k quarters."""
    c, s = np.round(np.cos(k * np.pi / 2)), np.round(np.sin(k * np.pi / 2))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def sampling_markdown(record):
    """The table, as text."""
    head = ["region", "angles [tilt, azimuth, elevation] in °", "position [cm]", "size [%]",
            "turned", "frequency", "drawn: angles", "position", "size", "0/90/180/270° [%]",
            "frequency", "mean of the range", "correct [%]"]  # fmt: skip
    rows = []
    for entry in record["rows"]:
        p = entry["published"]
        cells = [p["region"], p["angles_deg"], p["translation_cm"], p["scale_percent"]]
        cells += ["yes" if p["turned"] else "no", p["share"]]
        rows.append([*cells, *_drawn(entry["drawn"], record)])
    lines = ["# Table 3: regions of the poses that are to be judged", "", *table(head, rows), ""]
    if "poses" in record:
        correct = number(100 * record["correct"])
        lines.append(
            f"Left: the paper's specification. `drawn`: largest differences among {record['poses']}"
            f" poses of multi_sparc/sampling.py; {correct} % of all are labelled correct."
            " `mean of the range`: 0.5 where draws are uniform."
        )
    return "\n".join(lines) + "\n"


def _drawn(d, record):
    if d is None:
        return [not_run(record["not_run"]), *[""] * 6]
    angles = ", ".join(number(a) for a in d["angles_deg"])
    turns = " / ".join(number(100 * t, 0) for t in d["turns"])
    cells = [f"[{angles}]", number(d["translation_cm"]), number(d["scale_percent"]), turns]
    return [*cells, number(d["share"], 2), number(d["evenness"], 2), number(100 * d["correct"])]
