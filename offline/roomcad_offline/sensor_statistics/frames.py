"""Statistics of a whole dataset: counts are pooled over its frames, then divided."""

from __future__ import annotations

from collections import defaultdict

import cv2
import numpy as np

from roomcad_core.camera import project, unproject
from roomcad_core.pose import inverse, transform
from roomcad_offline.sensor_statistics import edges
from roomcad_offline.sensor_statistics.color import color_statistics
from roomcad_offline.sensor_statistics.planes import fit_planes, nearest_known

DEPTH_BINS = (0.3, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 8.0)  # [m]
ANGLE_BINS = (0, 30, 45, 60, 70, 80, 90)  # between the ray and the normal [deg]
GREY_BINS = (0, 32, 64, 128, 192, 256)
PATCH_BINS = (1, 5, 21, 101, 1001, 10001, 10**9)  # [px]
WINDOWS = (5, 7, 15)  # sides of the planes fitted [px]
SURFACE = 7  # the one of them that tells distance and slant
SLANTED = 0.5  # planes whose cosine is lower say nothing of the noise
SMOOTH = 0.03  # nor do those with a residual above this, of their depth: they are no planes
STEP_PIXELS = 1500  # a bin of a frame with fewer tells no quantisation step
STEP_RANGE = 0.1  # half the width of the slice of depths in which steps are counted [m]
MOVED = (0.12, 5.0)  # frames at most so far apart tell flicker [m, deg]
BORDER = 4  # pixels that leave the image by moving do not count [px]
EDGE_KINDS = ("near_left", "near_right", "vertical")


class Tally:
    """Sums, counts and samples under names; everything a dataset's figures are made from."""

    def __init__(self):
        self.hits, self.totals = defaultdict(float), defaultdict(float)
        self.samples = defaultdict(list)

    def share(self, name, key, hits, total):
        """Count `hits` of `total` under a name and a key."""
        self.hits[name, key] += hits
        self.totals[name, key] += total

    def binned(self, name, values, bins, hit, known):
        """Count where `hit` (H, W) is true among the pixels `known`, by bins of `values`."""
        total = np.histogram(values[known], bins)[0]
        hits = np.histogram(values[known & hit], bins)[0]
        for k in range(len(total)):
            self.share(name, f"{bins[k]}-{bins[k + 1]}", int(hits[k]), int(total[k]))

    def sample(self, name, key, values):
        """Keep numbers, whose median or mean is wanted in the end."""
        self.samples[name, key].extend(np.atleast_1d(values).tolist())


def measure_frames(frames) -> dict[str, dict[str, float]]:
    """{statistic: {bin: value}} of roomcad_core Frames; a bin without data is left out."""
    tally, before = Tally(), None
    for frame in frames:
        fitted = {window: fit_planes(frame.depth, frame.K, window) for window in WINDOWS}
        add_missing(tally, frame, fitted[SURFACE])
        for window, planes in fitted.items():
            add_noise(tally, planes, window)
        add_patches(tally, frame.depth == 0)
        add_steps(tally, frame.depth)
        add_edges(tally, frame.depth)
        if before is not None:
            add_flicker(tally, before, frame)
        for name, value in color_statistics(frame.color).items():
            tally.sample("color", name, value)
        before = frame
    return summary(tally)


def add_missing(tally, frame, planes):
    """Missing share: in all, and by distance, angle and grey level of what is there."""
    missing = frame.depth == 0
    tally.share("missing", "all", int(missing.sum()), missing.size)
    z, cosine = nearest_known(planes.depth, planes.cosine)
    known = ~np.isnan(z)
    angle = np.degrees(np.arccos(cosine))
    grey = cv2.cvtColor(frame.color, cv2.COLOR_RGB2GRAY)
    tally.binned("missing_by_depth", z, DEPTH_BINS, missing, known)
    tally.binned("missing_by_angle", angle, ANGLE_BINS, missing, known)
    tally.binned("missing_by_grey", grey, GREY_BINS, missing, np.ones_like(missing))


def add_noise(tally, planes, window):
    """Residuals of smooth planes that face the camera, by distance."""
    z, sigma = planes.depth, planes.sigma
    fit = (planes.cosine > SLANTED) & (sigma < SMOOTH * z)
    for low, high in zip(DEPTH_BINS, DEPTH_BINS[1:], strict=False):
        inside = sigma[fit & (z >= low) & (z < high)]
        if len(inside) >= STEP_PIXELS:
            tally.sample(f"sigma_mm_{window}px", f"{low}-{high}", 1000 * np.median(inside))


def add_patches(tally, missing):
    """Share of the missing area that lies in patches of each size."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8), connectivity=4)
    area = stats[1:, cv2.CC_STAT_AREA]
    sizes = np.histogram(area, PATCH_BINS, weights=area)[0]
    for k, pixels in enumerate(sizes):
        end = "" if k == len(sizes) - 1 else PATCH_BINS[k + 1] - 1
        tally.share("missing_in_patches", f"{PATCH_BINS[k]}-{end}", int(pixels), int(area.sum()))


def add_steps(tally, depth):
    """Median distance of neighbouring values that occur, in the middle of each bin."""
    for low, high in zip(DEPTH_BINS, DEPTH_BINS[1:], strict=False):
        middle = (low + high) / 2
        inside = depth[np.abs(depth - middle) < STEP_RANGE]
        if len(inside) >= STEP_PIXELS:
            gaps = np.diff(np.unique(np.rint(inside * 1000)))
            if len(gaps):
                tally.sample("step_mm", f"{middle:.2f}", np.median(gaps))


def add_edges(tally, depth):
    """Width of depth steps, missing pixels in them by the side of what is near, flying share."""
    rows, columns = edges.profiles(depth), edges.profiles(np.ascontiguousarray(depth.T))
    near_left = rows[:, 0] < rows[:, -1]
    for kind, windows in zip(EDGE_KINDS, (rows[near_left], rows[~near_left], columns), strict=True):
        if len(windows):
            tally.share("edge_gap_px", kind, int(edges.gaps(windows).sum()), len(windows))
            whole = windows[edges.gaps(windows) == 0]
            tally.share("edge_without_gap", kind, len(whole), len(windows))
            tally.share("edge_width_px", kind, int(edges.widths(whole).sum()), len(whole))
    tally.share("flying", "all", *edges.flying(depth))


def add_flicker(tally, before, frame):
    """Share of the pixels measured before that the next frame, seen from there, has lost."""
    if before.T_world_cam is None or frame.T_world_cam is None:
        return
    T = inverse(frame.T_world_cam) @ before.T_world_cam
    turn = np.degrees(np.arccos(np.clip((np.trace(T[:3, :3]) - 1) / 2, -1, 1)))
    if np.linalg.norm(T[:3, 3]) > MOVED[0] or turn > MOVED[1]:
        return
    points = unproject(before.depth, before.K)[::2, ::2][before.depth[::2, ::2] > 0]
    uv, z = project(transform(T, points), frame.K)
    ok = z > 0.1
    u, v = np.rint(uv[ok]).astype(int).T
    height, width = frame.depth.shape
    inside = (u >= BORDER) & (u < width - BORDER) & (v >= BORDER) & (v < height - BORDER)
    lost = frame.depth[v[inside], u[inside]] == 0
    tally.share("lost_in_next_frame", "all", int(lost.sum()), len(lost))
    tally.share("lost_in_next_frame", "pairs", 1, 1)


def summary(tally):
    """{statistic: {bin: value}}: shares, medians of samples, and the colour's own spread."""
    result = defaultdict(dict)
    for (name, key), total in tally.totals.items():
        if total > 0:
            result[name][key] = tally.hits[name, key] / total
    if "pairs" in result["lost_in_next_frame"]:
        result["lost_in_next_frame"]["pairs"] = tally.totals["lost_in_next_frame", "pairs"]
    for (name, key), values in tally.samples.items():
        if not np.isnan(values).all():
            result[name][key] = float(np.nanmedian(values))
    bright = tally.samples["color", "brightness"]
    if bright:
        result["color"]["brightness_spread"] = float(np.std(bright))
    return {name: values for name, values in result.items() if values}
