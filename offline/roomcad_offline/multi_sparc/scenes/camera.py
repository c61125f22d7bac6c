"""Where the camera of each image is, and its intrinsics.

The level frame has its origin in the camera, x right, y forward, z up: the optical frame without
pitch and roll.
"""

from dataclasses import dataclass

import torch

REFERENCE_WIDTH = 640  # [px] image that focal lengths are given for


@dataclass(frozen=True)
class Camera:
    """The cameras of a batch."""

    K: torch.Tensor  # (B, 3, 3) intrinsics of the maps [px]
    R_cam_level: torch.Tensor  # (B, 3, 3) from the level to the optical frame
    height: torch.Tensor  # (B,) over the floor [m]

    @property
    def up(self):
        """(B, 3) unit up direction in the optical frame."""
        return self.R_cam_level[:, :, 2]


def draw_cameras(in_room, config, draws):
    """Cameras of a batch; `in_room` (B,) bool: held as robots and people do."""
    batch = len(in_room)
    height = draws.uniform(config.camera_low, config.camera_high, batch)
    # High cameras look down on furniture, low ones along the floor.
    pitch = draws.uniform(-0.1, 0.2 + 0.25 * height, batch)
    pitch = torch.where(in_room, pitch, draws.uniform(-0.3, 1, batch) * config.random_pitch)
    wide = draws.uniform(-1, 1, batch) * config.random_roll
    roll = torch.where(in_room, draws.normal(config.roll, batch), wide)
    return Camera(draw_intrinsics(batch, config, draws), attitude(pitch, roll), height)


def draw_intrinsics(batch, config, draws):
    """(B, 3, 3) K of depth cameras whose images were shrunk to the maps."""
    focal = draws.uniform(config.focal_low, config.focal_high, batch)
    focal = focal * (config.width / REFERENCE_WIDTH)
    shift = draws.uniform(-1, 1, 2, batch) * (config.centre_shift * config.width)
    K = torch.zeros(batch, 3, 3, device=draws.device)
    K[:, 0, 0] = focal
    K[:, 1, 1] = focal * draws.uniform(0.995, 1.005, batch)
    K[:, 0, 2] = (config.width - 1) / 2 + shift[0]
    K[:, 1, 2] = (config.height - 1) / 2 + shift[1]
    K[:, 2, 2] = 1
    return K


def attitude(pitch, roll):
    """(B, 3, 3) R_cam_level of cameras that look down by `pitch`, then turn by `roll` [rad]."""
    zero, one = torch.zeros_like(pitch), torch.ones_like(pitch)
    c, s = pitch.cos(), pitch.sin()
    right, down, forward = (one, zero, zero), (zero, -s, -c), (zero, c, -s)
    level = torch.stack([torch.stack(axis, 1) for axis in (right, down, forward)], 1)
    c, s = roll.cos(), roll.sin()
    turn = torch.stack([c, -s, zero, s, c, zero, zero, zero, one], 1).view(-1, 3, 3)
    return turn @ level


def rays(K, height, width):
    """(B, height, width, 3) viewing rays with z = 1."""
    u = torch.arange(width, device=K.device, dtype=K.dtype)
    v = torch.arange(height, device=K.device, dtype=K.dtype)
    x = (u - K[:, 0, 2, None]) / K[:, 0, 0, None]
    y = (v - K[:, 1, 2, None]) / K[:, 1, 1, None]
    x, y = x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)
    return torch.stack([x, y, torch.ones_like(x)], -1)


def project(points, K):
    """(B, N, 2) pixels of (B, N, 3) camera-frame points; those behind the camera mean nothing."""
    uvw = points @ K.transpose(1, 2)
    return uvw[..., :2] / uvw[..., 2:].clamp(min=1e-6)
