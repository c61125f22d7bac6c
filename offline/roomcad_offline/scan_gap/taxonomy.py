"""Figure 7: which mechanism explains an error best. Rules, not human labels.

In the post's order of priority, the first that applies:

1. background: at least 100 of 1,024 points are not the object (the magnitude at which the
   controlled curve has collapsed). Counted with the data's mask; without one, by geometry: floor
   spreading beyond the object's footprint, and points apart from the largest connected piece.
2. occlusion: seen from its centre, the object covers no more directions than its class's median CAD
   cloud with half of its points dropped (where the controlled curve falls off its cliff).
3. noise: its points lie as far off their neighbours' planes as on the class's median CAD cloud with
   noise of sigma 0.04 (where the controlled curve leaves its plateau).
4. confusion: none of these; the error is a confusion of two classes.

The geometric count of background is a fallback: it sees loose clutter and wide floors, but hardly
the floor within an object's footprint.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from roomcad_offline.scan_gap import perturb
from roomcad_offline.scan_gap.clouds import unit_sphere

MECHANISMS = ("background", "occlusion", "noise", "confusion")
BACKGROUND_SHARE = 100 / 1024
OCCLUDED_SHARE = 0.5
NOISE_SIGMA = 0.04
N_ERRORS = 100
N_BASELINE = 40  # CAD clouds a class from which its usual coverage and roughness are taken
DIRECTIONS = 64
NEIGHBOURS = 16
CELL = 0.12  # [unit sphere] grid of the connected pieces; about twice the spacing of 1,024 points
FLOOR = 0.03  # [unit sphere] thickness of the floor over the lowest point


@dataclass(frozen=True)
class Baseline:
    """Per class: the coverage at which a cloud counts as occluded, the roughness of a noisy one."""

    coverage: dict
    roughness: dict


def baseline(cad, seed=42):
    """Baseline of labelled CAD clouds (Clouds)."""
    rng = np.random.default_rng(seed)
    coverages, limits = {}, {}
    for label, name in enumerate(cad.classes):
        of_class = cad.points[cad.labels == label][:N_BASELINE]
        if not len(of_class):
            continue
        noisy = unit_sphere(perturb.add_noise(of_class, NOISE_SIGMA, rng))
        half = unit_sphere(perturb.occlude(of_class, OCCLUDED_SHARE, rng))
        coverages[name] = float(np.median([coverage(p) for p in half]))
        limits[name] = float(np.median([roughness(p) for p in noisy]))
    return Baseline(coverages, limits)


def taxonomy(clouds, prediction, usual, n=N_ERRORS, seed=42):
    """One row an error: {object, true, predicted, background, coverage, roughness, mechanism}.

    Args:
        clouds: Clouds, z up, of the predicted objects.
        prediction: evaluate.Prediction about them.
        usual: Baseline of the CAD clouds.
        n: errors sampled; all of them where there are fewer.
    """
    errors = np.flatnonzero(~prediction.right)
    chosen = np.sort(np.random.default_rng(seed).permutation(errors)[:n])
    rows = sort_objects(clouds, usual, chosen)
    for row in rows:
        row["predicted"] = prediction.classes[prediction.predicted[row["object"]]]
    return rows


def sort_objects(clouds, usual, chosen):
    """Rows of the objects with the indices `chosen`, right or wrong."""
    rows = []
    for i in chosen:
        mask = None if clouds.is_background is None else clouds.is_background[i]
        true = clouds.classes[clouds.labels[i]]
        measured = measure(clouds.points[i], mask)
        found = mechanism(measured, usual.coverage[true], usual.roughness[true])
        row = {"object": int(i), "true": true, "predicted": "", "mechanism": found}
        rows.append({**row, **{name: round(value, 4) for name, value in measured.items()}})
    return rows


def measure(points, is_background=None):
    """{background share, coverage of directions, roughness} of a cloud (N, 3)."""
    found = background_by_geometry(points) if is_background is None else is_background
    own = points[~found] if (~found).sum() > NEIGHBOURS else points
    own = unit_sphere(own)
    return {
        "background": float(found.mean()),
        "coverage": coverage(own),
        "roughness": roughness(own),
    }


def mechanism(measured, coverage_limit, roughness_limit):
    """The first mechanism of MECHANISMS that applies."""
    if measured["background"] >= BACKGROUND_SHARE:
        return "background"
    if measured["coverage"] <= coverage_limit:
        return "occlusion"
    if measured["roughness"] >= roughness_limit:
        return "noise"
    return "confusion"


def background_by_geometry(points):
    """(N,) bool: floor around the footprint, or apart from the largest connected piece; z up."""
    height = points[:, 2] - points[:, 2].min()
    above = points[height > 3 * FLOOR, :2]
    found = np.zeros(len(points), bool)
    if len(above) > NEIGHBOURS:
        low, high = np.percentile(above, (1, 99), axis=0)
        outside = ((points[:, :2] < low) | (points[:, :2] > high)).any(1)
        found = outside & (height < FLOOR)
    cells = np.floor((points - points.min(0)) / CELL).astype(int)
    grid = np.zeros(cells.max(0) + 1, bool)
    grid[tuple(cells.T)] = True
    pieces, _ = ndimage.label(grid, np.ones((3, 3, 3)))
    piece = pieces[tuple(cells.T)]
    return found | (piece != np.bincount(piece).argmax())


def coverage(points):
    """Share of DIRECTIONS around the centre of the box in which a cloud has points."""
    centred = points - (points.min(0) + points.max(0)) / 2
    k = np.arange(DIRECTIONS) + 0.5
    up, turn = 1 - 2 * k / DIRECTIONS, np.pi * (1 + 5**0.5) * k
    flat = np.sqrt(1 - up**2)
    directions = np.stack([flat * np.cos(turn), flat * np.sin(turn), up], 1)
    return len(np.unique((centred @ directions.T).argmax(1))) / DIRECTIONS


def roughness(points):
    """Median distance of the points (N, 3) to the plane through their neighbours."""
    points = np.unique(points, axis=0)  # a small cloud repeats points, which lie on any plane
    k = min(NEIGHBOURS, len(points))
    _, index = cKDTree(points).query(points, k)
    patches = points[index] - points[index].mean(1, keepdims=True)
    _, vectors = np.linalg.eigh(patches.transpose(0, 2, 1) @ patches)
    offset = points - points[index].mean(1)
    return float(np.median(np.abs(np.einsum("nk,nk->n", offset, vectors[:, :, 0]))))


def shares(rows):
    """{mechanism: share of the errors}."""
    found = [row["mechanism"] for row in rows]
    return {m: round(found.count(m) / len(found), 4) if found else 0.0 for m in MECHANISMS}
