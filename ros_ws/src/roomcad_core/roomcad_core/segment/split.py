"""Over-segmentation of the working grid into smooth pieces at depth steps and concave edges."""

from __future__ import annotations

import cv2
import numpy as np

from roomcad_core.segment.surface import dots


def steps(surface, axis):
    """Depth step between each working pixel and the next one along axis (0 down, 1 right) [m].

    The step is what the planes of both pixels fail to explain; inf where a depth is missing.
    """
    q, slope = surface.q, surface.slope[1 - axis]
    here, there = pairs(q, axis)
    slope_here, slope_there = pairs(slope, axis)
    miss = np.minimum(np.abs(here + slope_here - there), np.abs(there - slope_there - here))
    known = np.logical_and(*pairs(surface.valid, axis))
    step = np.divide(miss, here * there, out=np.full_like(miss, np.inf), where=known)
    return step


def pairs(image, axis, reach=1):
    """Views of each pixel and of the one `reach` further along axis (0 down, 1 right)."""
    if axis == 0:
        return image[:-reach], image[reach:]
    return image[:, :-reach], image[:, reach:]


def step_tolerance(surface, axis, config):
    """Largest depth step inside one object, for every neighbour pair along axis [m]."""
    near, far = pairs(surface.q, axis)
    q = np.maximum(np.minimum(near, far), 0.05)
    return config.edge_distance + 2 * surface.noise / np.square(q)


def concave_edges(surface, config, reach=2):
    """(h, w) bool, pixels between two surfaces that meet in a concave edge."""
    edges = np.zeros(surface.valid.shape, bool)
    limit = np.cos(config.edge_angle)
    for axis in (0, 1):
        n0, n1 = pairs(surface.normals, axis, 2 * reach)
        p0, p1 = pairs(surface.points, axis, 2 * reach)
        smooth = np.logical_and(*pairs(surface.smooth, axis, 2 * reach))
        bent = dots(n0, n1) < limit
        concave = dots(n0 - n1, p0 - p1) < 0
        inner = edges[reach:-reach] if axis == 0 else edges[:, reach:-reach]
        inner |= smooth & bent & concave
    return edges


def cut_links(surface, config):
    """(cut_down, cut_right) bool: a depth step lies between a pixel and its next neighbour."""
    return tuple(steps(surface, k) > step_tolerance(surface, k, config) for k in (0, 1))


def split(surface, background, cuts, config):
    """Label the foreground: (h, w) int32, 0 = background, 1..n smooth connected pieces."""
    foreground = surface.valid & ~background
    edge = concave_edges(surface, config)
    solid = foreground & surface.smooth & ~edge
    labels = linked_components(solid, *cuts)
    labels = drop_small(labels, 12)
    labels = _grow(labels, foreground, *cuts)
    rest = linked_components(foreground & (labels == 0), *cuts)
    return np.where(rest > 0, rest + labels.max(), labels)


def linked_components(mask, cut_down, cut_right):
    """Connected components of mask where a cut between two pixels separates them."""
    height, width = mask.shape
    grid = np.zeros((2 * height - 1, 2 * width - 1), np.uint8)  # pixels with links between
    grid[::2, ::2] = mask
    grid[1::2, ::2] = mask[:-1] & mask[1:] & ~cut_down
    grid[::2, 1::2] = mask[:, :-1] & mask[:, 1:] & ~cut_right
    return cv2.connectedComponents(grid, connectivity=4)[1][::2, ::2].copy()


def drop_small(labels, smallest):
    """Set components with fewer than `smallest` pixels to 0 and number the others 1..n."""
    keep = np.bincount(labels.ravel()) >= smallest
    keep[0] = False
    numbers = np.cumsum(keep) * keep
    return numbers[labels].astype(np.int32)


def _grow(labels, foreground, cut_down, cut_right, rounds=4):
    """Give unlabelled foreground pixels the label of an uncut 4-neighbour, ring by ring."""
    for _ in range(rounds):
        open_ = foreground & (labels == 0)
        if not open_.any():
            break
        grown = labels.copy()
        for here, there, cut in (
            (np.s_[1:], np.s_[:-1], cut_down),
            (np.s_[:-1], np.s_[1:], cut_down),
            (np.s_[:, 1:], np.s_[:, :-1], cut_right),
            (np.s_[:, :-1], np.s_[:, 1:], cut_right),
        ):
            take = open_[here] & ~cut & (labels[there] > 0)
            np.copyto(grown[here], labels[there], where=take)
        labels = grown
    return labels
