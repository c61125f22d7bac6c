"""Where the loop starts: mode `rgbd` of refine.initial_pose (offline), held equal by a test.

An object starts on the ray of its box's centre, a fifth of its size behind the median depth of
its mask, in the library model's size, upright by gravity. Azimuth 0 turns the model's back to the
camera, along the ray to the object; the others follow in equal turns. Without a depth sensor an
object may start at a fixed distance on its ray instead, as in the paper.
"""

import numpy as np

from roomcad_core.pose import rotation_y

BEHIND = 0.2  # how far the centre lies behind the surface seen, in mean sizes of the object
NO_DEPTH = 3.0  # [m] z of an object without any depth in its box, or of which nothing is known
SAMPLES = 200  # places of a box at which its mask is looked at
GOLDEN = 1.32471795724474602596  # root of x³ = x + 1: its powers give the R2 sequence


def sample_pattern(n=SAMPLES):
    """(n, 2) float32 positions in 0-1 that cover a box evenly (the R2 sequence)."""
    steps = np.arange(1, n + 1, dtype=float)[:, None]
    # Single precision, as the network's own pattern has it: no sample in another pixel.
    pace = np.array([1 / GOLDEN, 1 / GOLDEN**2], np.float32)
    return ((0.5 + steps * pace) % 1).astype(np.float32)


def initial_poses(depth, instance, K, box, size, up, n_yaw, distance=None):
    """Initialisations of N objects in the first N slots.

    Args:
        depth: (H, W) z-depth [m], 0 = missing.
        instance: (H, W) slot + 1 of the object a pixel is given to, 0 = none.
        K: (3, 3) intrinsics of these maps [px].
        box: (N, 4) xyxy [px], pixel centres at integers; may reach outside the maps.
        size: (N, 3) metric sizes of the library models [m].
        up: (3,) up direction in the camera frame.
        n_yaw: number of azimuths A.
        distance: z of all centres [m], whatever the depth; None = behind the surface seen.

    Returns:
        T (A, N, 3) [m], R (A, N, 3, 3) and S (A, N, 3), camera from object.
    """
    size = np.asarray(size, float)
    ray = centre_rays(np.asarray(box, float), K)
    if distance is None:
        surface = ray * surface_depths(depth, instance, box)[:, None]
        T = surface + BEHIND * size.mean(1, keepdims=True) * _unit(surface)
    else:
        T = distance * ray
    turns = np.stack([rotation_y(k * 2 * np.pi / n_yaw) for k in range(n_yaw)])
    R = upright(up, T)[None] @ turns[:, None]
    repeated = [np.broadcast_to(x, (n_yaw, *x.shape)) for x in (T, size)]
    return repeated[0], R, repeated[1]


def centre_rays(box, K):
    """(N, 3) points at z = 1 under the centres of boxes (N, 4)."""
    centre = (box[:, :2] + box[:, 2:]) / 2
    xy = (centre - K[:2, 2]) / (K[0, 0], K[1, 1])
    return np.column_stack([xy, np.ones(len(xy))])


def surface_depths(depth, instance, box):
    """(N,) median depth [m] of each object's mask; without it of its box; or else NO_DEPTH."""
    pattern = sample_pattern()
    out = np.full(len(box), NO_DEPTH)
    for slot, (low, high) in enumerate(np.asarray(box, np.float32).reshape(-1, 2, 2)):
        at = np.floor((low + high) / 2 + (high - low) * (pattern - 0.5) + 0.5)
        u, v = at[((at >= 0) & (at < depth.shape[::-1])).all(1)].astype(int).T
        z = depth[v, u]
        own = z[(z > 0) & (instance[v, u] == slot + 1)]
        measured = own if len(own) else z[z > 0]
        if len(measured):
            out[slot] = np.sort(measured)[(len(measured) - 1) // 2]
    return out


def upright(up, T):
    """(N, 3, 3) rotations of models that stand upright, their back along the ray to them.

    Args:
        up: (3,) up direction, T: (N, 3) positions; camera frame.
    """
    y = np.broadcast_to(_unit(np.asarray(up, float)), T.shape)
    # The image's up side stands in for the ray of an object straight above or below.
    ahead = _unit(T) + [0.0, -1e-3, 0.0]
    z = _unit((ahead * y).sum(1, keepdims=True) * y - ahead)
    return np.stack([np.cross(y, z), y, z], -1)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
