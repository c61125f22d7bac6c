"""The render-and-compare loop: n updates and a scoring pass, for all initialisations at once.

This is what is exported and run everywhere. Choices the paper leaves open: in mode `rgbd` an
object starts on the ray of its box's centre, a fifth of its size behind the median depth of its
mask (nearest to the truth among several rules tried), in the library model's size, upright by
gravity; in mode `rgb` 3 m away on the same ray, in the middle of its class's range of sizes,
upright for a camera that looks 30 degrees down. Azimuth 0 turns the model's back to the camera,
along the ray to the object; the other three follow in quarter turns.
"""

import math

import torch

from roomcad_offline.multi_sparc.inputs import (
    at_pose,
    box_positions,
    box_rows,
    look_up,
    own_pixels,
    sparse_inputs,
    unproject,
    view_of,
)
from roomcad_offline.multi_sparc.pose import LOGIT, Pose, fill_empty, rotation_about, update

MODES = ("rgbd", "rgb")
AZIMUTHS = 4
BEHIND = 0.2  # how far the centre lies behind the surface seen, in mean sizes of the object
RGB_DISTANCE = 3.0  # [m] z of an object of which nothing is known
RGB_TILT = math.radians(30)  # how far down such a camera looks


def refine(network, batch, pose, n, pattern):
    """Refine several initialisations of every object, then score the results.

    Args:
        network: MultiSparc.
        batch: Batch of B images (or anything view_of takes).
        pose: Pose with leading axes (B, initialisations, M).
        n: number of updates; 0 only scores.
        pattern: (n_bbox, 2) sample positions in 0-1.

    Returns:
        Pose (B, initialisations, M) and logits of sigma (B, initialisations, M).
    """
    config, times = network.config, pose.T.shape[1]
    inputs, n_mul = config.inputs, config.network.n_mul
    view = view_of(batch)
    fixed = box_rows(view, pattern, inputs, n_mul)
    fixed = [x.repeat_interleave(times, 0) for x in fixed]
    view = view.repeat(times)
    pose = pose.map(lambda x: x.flatten(0, 1))
    for step in range(n + 1):
        rows, mask = at_pose(fixed, view, pose, inputs, n_mul)
        output = network(rows, mask, view.valid)
        if step < n:
            pose = update(pose, output, config.network.scale_factor)
    shape = (-1, times)
    return pose.map(lambda x: x.unflatten(0, shape)), output[..., LOGIT].unflatten(0, shape)


def predict(network, view, pose, pattern):
    """(B, M, 11) raw outputs of one pass at Pose (B, M), for training."""
    config = network.config
    inputs = sparse_inputs(view, pose, pattern, config.inputs, config.network.n_mul)
    return network(*inputs, view.valid)


def best(pose, logits):
    """Of every object the initialisation with the largest sigma: Pose (B, M), logits (B, M)."""
    chosen = logits.argmax(1, keepdim=True)

    def pick(x):
        index = chosen.reshape(*chosen.shape, *[1] * (x.ndim - 3))
        return x.gather(1, index.expand(-1, -1, *x.shape[2:]))[:, 0]

    return pose.map(pick), pick(logits)


def initial_pose(batch, mode, pattern):
    """The four initialisations of every object: Pose with leading axes (B, 4, M).

    Args:
        batch: Batch; nothing of its truth is used.
        mode: "rgbd" or "rgb".
        pattern: (n, 2) sample positions in 0-1, where masks are looked at (mode rgbd).

    Raises:
        ValueError: the mode is neither.
    """
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    T, up, S = _rgbd_start(batch, pattern) if mode == "rgbd" else _rgb_start(batch)
    start = fill_empty(Pose(T, upright(up, T), S), batch.valid)
    T, R, S = start.map(lambda x: x[:, None].repeat_interleave(AZIMUTHS, 1))
    turns = torch.arange(AZIMUTHS, device=T.device, dtype=T.dtype) * (2 * torch.pi / AZIMUTHS)
    return Pose(T, R @ rotation_about(1, turns)[:, None], S)


def upright(up, T):
    """(B, M, 3, 3) rotations of models that stand upright with their back along the ray to them.

    Args:
        up: (B, 3) up direction, T: (B, M, 3) positions; camera frame.
    """
    y = torch.nn.functional.normalize(up, dim=-1)[:, None].expand(T.shape)
    # The image's up side stands in for the ray of an object straight above or below.
    ahead = torch.nn.functional.normalize(T, dim=-1) + T.new_tensor([0.0, -1e-3, 0.0])
    z = torch.nn.functional.normalize((ahead * y).sum(-1, keepdim=True) * y - ahead, dim=-1)
    return torch.stack([torch.linalg.cross(y, z), y, z], -1)


def sensed_position(batch, pattern):
    """(B, M, 3) points [m] on the rays of the boxes' centres, behind the masks' median depth.

    Without depth in the mask the box's median depth, or else 3 m, is taken.
    """
    view = view_of(batch)
    u, v = box_positions(view.box, pattern, margin=0.0)
    inside = view.valid[..., None].expand(u.shape)
    found, _, _, inside = look_up(view, u, v, inside)
    depth = found[..., 6]
    measured = inside & (depth > 0)
    own = measured & (own_pixels(found) > 0)
    z = _median(depth, own, _median(depth, measured, RGB_DISTANCE))
    surface = _centre_ray(batch) * z[..., None]
    ray = torch.nn.functional.normalize(surface, dim=-1)
    return surface + BEHIND * batch.size.mean(-1, keepdim=True) * ray


def _rgbd_start(batch, pattern):
    return sensed_position(batch, pattern), batch.up, batch.size


def _rgb_start(batch):
    ray = _centre_ray(batch)
    up = ray.new_tensor([0.0, -math.cos(RGB_TILT), -math.sin(RGB_TILT)])
    T = RGB_DISTANCE * ray
    return T, up.expand(len(T), 3), (batch.size_low + batch.size_high) / 2


def _centre_ray(batch):
    """(B, M, 3) points at z = 1 under the centres of the boxes."""
    centre = (batch.box[..., :2] + batch.box[..., 2:]) / 2
    return unproject(centre[..., :1], centre[..., 1:], batch.K)[..., 0, :]


def _median(values, mask, default):
    """Lower median over the last axis where `mask`; `default` where it is empty."""
    ordered = torch.where(mask, values, torch.full_like(values, 1e9)).sort(-1).values
    count = mask.sum(-1, keepdim=True)
    middle = ordered.gather(-1, (count - 1).clamp(min=0) // 2)[..., 0]
    return torch.where(count[..., 0] > 0, middle, torch.as_tensor(default).to(middle))
