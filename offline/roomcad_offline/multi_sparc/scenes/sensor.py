"""What a depth camera makes of the true depth, at map resolution.

Structured light measures disparity: its noise and its steps grow with z^2, and what its projector
cannot reach is missing. Time of flight is finer and mixes depths at edges. A depth `predicted`
from colour has no holes; it is soft, and wrong by a few percent over whole regions.
"""

from dataclasses import dataclass

import torch

from roomcad_offline.multi_sparc.scenes.camera import REFERENCE_WIDTH
from roomcad_offline.multi_sparc.scenes.window import highest, lowest

FOCAL_BASELINE = 550 * 0.075  # [px m] of a structured-light camera at 640 px width
STEP = 0.125  # [px] quantisation of the disparity
EDGE = 0.04  # neighbours whose depths differ by more of themselves are an edge
OUT_OF_RANGE = 20.0  # [m] stands for nothing there


@dataclass(frozen=True)
class Sensors:
    """The depth camera of each image; tensors (B, 1, 1)."""

    clean: torch.Tensor  # bool: no error at all
    predicted: torch.Tensor  # bool
    tof: torch.Tensor  # bool; what is none of the three is structured light
    disparity_noise: torch.Tensor  # deviation [px at 640 px width]
    offset_noise: torch.Tensor  # noise that does not grow with distance [m]
    edge_loss: torch.Tensor  # share of edge pixels that are missing
    flying: torch.Tensor  # share of edge pixels that mix two depths
    grazing: torch.Tensor  # cosine of incidence below which pixels vanish
    dropout: torch.Tensor  # share of pixels missing in patches
    near: torch.Tensor  # range [m]
    far: torch.Tensor


def draw_sensors(batch, config, draws):
    """A depth camera of its own quality for each image."""
    shape = (batch, 1, 1)
    kind = draws.uniform(0, 1, *shape)
    clean = kind < config.clean_share
    predicted = ~clean & (kind < config.clean_share + config.predicted_share)
    tof = draws.flag(config.tof_share, *shape) & ~clean & ~predicted
    noise, holes = config.depth_noise, config.holes
    quality = draws.uniform(0.03, 0.07, *shape) * torch.where(tof, 0.6, 1.0)
    return Sensors(
        clean,
        predicted,
        tof,
        disparity_noise=noise * quality,
        offset_noise=noise * torch.where(tof, 0.002, 0.0015),
        edge_loss=holes * draws.uniform(0, 0.35, *shape),
        flying=noise * tof * draws.uniform(0, 0.3, *shape),
        grazing=holes * torch.where(tof, 0.12, 0.17) * draws.uniform(0.3, 1.0, *shape),
        dropout=holes * draws.uniform(-0.02, 0.15, *shape),
        near=torch.where(tof, 0.25, 0.35) * min(holes, 1),
        far=draws.uniform(4.5, 7, *shape) / min(max(holes, 1e-3), 1),
    )


def measure(view, sensors, config, draws):
    """Measured depth (B, H, W) [m] of a View, 0 = missing."""
    true = view.depth
    if bool(sensors.clean.all()):
        return true
    solid = torch.where(true > 0, true, OUT_OF_RANGE)
    nearest, farthest = lowest(solid, 1), highest(solid, 1)
    edge = farthest > (1 + EDGE) * nearest
    depth = _fly(solid, nearest, farthest, edge & draws.flag(sensors.flying, *true.shape), draws)
    depth = depth + _sigma(sensors, depth) * _noise(true.shape, draws)
    if config.depth_noise:
        depth = torch.where(sensors.tof, depth, _quantised(depth, config.depth_noise))
    lost = _lost(view, sensors, depth, edge, draws)
    if config.holes:
        lost = lost | (~sensors.tof & _unlit(solid) & draws.flag(0.7, *sensors.far.shape))
    depth = torch.where(lost, 0, depth)
    if config.predicted_share:
        depth = torch.where(sensors.predicted, _predicted(solid, config, draws), depth)
    return torch.where(sensors.clean, true, torch.where(true > 0, depth, 0))


def _fly(depth, nearest, farthest, mixed, draws):
    """Mix the nearest and the farthest neighbour in `mixed` pixels."""
    weight = draws.uniform(0, 1, *depth.shape)
    return torch.where(mixed, nearest + weight * (farthest - nearest), depth)


def _sigma(sensors, depth):
    """(B, H, W) standard deviation of the noise [m]."""
    grows = sensors.disparity_noise * depth**2 / FOCAL_BASELINE
    return (grows**2 + sensors.offset_noise**2).sqrt()


def _noise(shape, draws):
    """(B, H, W) unit noise, a part of it alike over a few pixels."""
    soft = draws.smooth(shape[0], 1, *shape[1:], 2.5)[:, 0]
    return 0.85 * draws.normal(1.0, *shape) + 0.5 * soft


def _quantised(depth, strength):
    """Depth rounded to whole steps of disparity."""
    scale = FOCAL_BASELINE / (STEP * strength)
    return scale / (scale / depth.clamp(min=0.05)).round().clamp(min=1)


def _lost(view, sensors, depth, edge, draws):
    """(B, H, W) True where the camera gives no depth."""
    shape = depth.shape
    luck = draws.uniform(0, 1, *shape)
    lost = (depth < sensors.near) | (depth > sensors.far) | (edge & (luck < sensors.edge_loss))
    lost = lost | (view.cosine < sensors.grazing * (0.5 + luck))
    return lost | (_patches(shape, draws) < sensors.dropout)


def _patches(shape, draws):
    """(B, H, W) values in 0-1, alike over patches of two sizes."""
    batch, height, width = shape
    fine = draws.smooth(batch, 1, height, width, 2.5)[:, 0]
    coarse = draws.smooth(batch, 1, height, width, 14)[:, 0]
    return torch.sigmoid(1.7 * (0.5 * fine + 0.866 * coarse))  # about the normal distribution


def _unlit(depth):
    """(B, H, W) True where something nearer keeps the projector's light away.

    The projector is right of the camera: going left, a pixel is unlit where one further right
    already covered its column.
    """
    width = depth.shape[2]
    shift = FOCAL_BASELINE * (width / REFERENCE_WIDTH) / depth.clamp(min=0.1)
    column = torch.arange(width, device=depth.device) - shift
    nearest = column.flip(2).cummin(2).values.flip(2)
    return column > nearest + 0.5


def _predicted(solid, config, draws):
    """Depth as a network would guess it: soft edges, regions that are a few percent off."""
    batch, height, width = solid.shape
    soft = torch.nn.functional.avg_pool2d(solid[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
    whole = draws.normal(0.04, batch, 1, 1)
    regions = draws.smooth(batch, 1, height, width, 30)[:, 0]
    return soft * (config.depth_noise * (whole + 0.03 * regions)).exp()
