"""Where training starts from: poses to be updated and poses to be judged.

Angles are tilt, azimuth and elevation: E = R_x(elevation) R_y(azimuth) R_z(tilt) about the CAD's
axes, right of the true rotation, as in SPARC. The paper's poses to be updated know nothing but
the box; those of mode `rgbd` are the robot's own initialisations with the noise of masks and of
gravity, at an azimuth within 45 degrees of the true one.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch

from roomcad_offline.multi_sparc.inputs import unproject
from roomcad_offline.multi_sparc.pose import Pose, fill_empty, rotation_about, turned_towards
from roomcad_offline.multi_sparc.refine import MODES, sensed_position, upright


@dataclass(frozen=True)
class SamplingConfig:
    """How far initial poses are from the truth; angles as (tilt, azimuth, elevation)."""

    mode: str = "rgbd"
    angles_deg: tuple = (10.0, 45.0, 20.0)  # rgb: largest angles
    nearest: float = 1.0  # rgb: smallest z [m]
    farthest: float = 5.0  # rgb: largest z [m]
    azimuth_deg: float = 45.0  # rgbd: largest angle between the azimuths
    up_noise_deg: float = 5.0  # rgbd: largest tilt and elevation of the up direction
    position_noise: float = 0.10  # rgbd: largest shift of each axis [m]
    size_noise: float = 0.10  # rgbd: largest relative change of each size

    def __post_init__(self):
        if self.mode not in MODES:
            raise ValueError(f"SamplingConfig.mode: expected one of {MODES}, got {self.mode!r}")
        if not 0 < self.nearest <= self.farthest:
            got = f"{self.nearest} and {self.farthest}"
            raise ValueError(f"SamplingConfig: expected 0 < nearest <= farthest, got {got}")


class Region(NamedTuple):
    """A row of the paper's Table 3: largest differences, and how often it is drawn."""

    angles_deg: tuple  # tilt, azimuth, elevation
    translation: float  # each axis [m]
    scale: float  # each axis, relative
    turned: bool  # also turned by 0, 90, 180 or 270 degrees about the vertical
    share: float


REGIONS = (
    Region((7, 10, 10), 0.13, 0.13, False, 0.4),
    Region((7, 10, 10), 0.13, 0.13, True, 0.2),
    Region((7, 45, 20), 0.30, 0.30, False, 0.2),
    Region((7, 45, 20), 0.30, 0.30, True, 0.1),
    Region((20, 45, 20), 0.60, 0.60, True, 0.1),
)


def update_poses(batch, config, pattern, generator):
    """Pose (B, M) from which updates are learnt.

    Args:
        batch: Batch with the truth.
        config: SamplingConfig.
        pattern: (n, 2) positions in 0-1 where masks are looked at (mode rgbd).
        generator: torch.Generator on the batch's device.
    """
    draw = _Draw(batch, generator)
    if config.mode == "rgbd":
        return fill_empty(_rgbd_poses(batch, config, pattern, draw), batch.valid)
    return fill_empty(_rgb_poses(batch, config, draw), batch.valid)


def classifier_poses(batch, generator):
    """Pose (B, M) that are to be judged, each object's from a region of Table 3."""
    draw = _Draw(batch, generator)
    shares = torch.tensor([region.share for region in REGIONS], device=batch.device)
    chosen = torch.multinomial(
        shares, batch.valid.numel(), replacement=True, generator=generator
    ).view(batch.valid.shape)

    def of(name):
        values = torch.tensor([getattr(region, name) for region in REGIONS]).to(batch.T_gt)
        return values[chosen]

    E = euler(draw.around(3) * torch.deg2rad(of("angles_deg")))
    quarter = (draw.uniform(1)[..., 0] * 4).floor() * of("turned")
    T = batch.T_gt + draw.around(3) * of("translation")[..., None]
    S = batch.S_gt * (1 + draw.around(3) * of("scale")[..., None])
    R = batch.R_gt @ E @ rotation_about(1, quarter * (torch.pi / 2))
    return fill_empty(Pose(T, R, S), batch.valid)


def euler(angles):
    """(..., 3, 3) rotation of (..., 3) tilt, azimuth and elevation [rad]."""
    tilt, azimuth, elevation = angles.unbind(-1)
    level = rotation_about(0, elevation) @ rotation_about(1, azimuth)
    return level @ rotation_about(2, tilt)


def _rgb_poses(batch, config, draw):
    """Anywhere in the box, 1 to 5 m away, in any size of the class."""
    low, high = batch.box[..., :2], batch.box[..., 2:]
    pixel = low + (high - low) * draw.uniform(2)
    z = config.nearest + (config.farthest - config.nearest) * draw.uniform(1)
    T = unproject(pixel[..., :1], pixel[..., 1:], batch.K)[..., 0, :] * z
    S = batch.size_low + (batch.size_high - batch.size_low) * draw.uniform(3)
    limits = torch.deg2rad(torch.tensor(config.angles_deg)).to(batch.T_gt)
    return Pose(T, batch.R_gt @ euler(draw.around(3) * limits), S)


def _rgbd_poses(batch, config, pattern, draw):
    """The initialisation of mode rgbd whose azimuth is nearest to the true one, with noise."""
    T = sensed_position(batch, pattern)
    R = turned_towards(upright(batch.up, T), batch.R_gt)
    limits = (config.up_noise_deg, config.azimuth_deg, config.up_noise_deg)
    E = euler(draw.around(3) * R.new_tensor([math.radians(limit) for limit in limits]))
    S = batch.size * (1 + config.size_noise * draw.around(3))
    return Pose(T + config.position_noise * draw.around(3), R @ E, S)


class _Draw:
    """Uniform numbers for every slot of a batch."""

    def __init__(self, batch, generator):
        self.shape, self.generator, self.like = batch.valid.shape, generator, batch.T_gt

    def uniform(self, n):
        """(B, M, n) in 0-1."""
        like = {"device": self.like.device, "dtype": self.like.dtype}
        return torch.rand(*self.shape, n, generator=self.generator, **like)

    def around(self, n):
        """(B, M, n) in -1 to 1."""
        return 2 * self.uniform(n) - 1
