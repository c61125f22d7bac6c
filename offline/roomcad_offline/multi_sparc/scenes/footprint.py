"""Do pieces of furniture stand in each other? Turned rectangles on the floor, with heights."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Blocks:
    """Upright boxes in the level frame; any leading axes that broadcast."""

    centre: torch.Tensor  # (..., 3) [m]
    half: torch.Tensor  # (..., 3) half the CAD's size: right, up, back [m]
    yaw: torch.Tensor  # (...) turn about up [rad]; see pose.upright_rotation

    def map(self, function):
        """The same blocks with all three tensors changed."""
        return Blocks(function(self.centre), function(self.half), function(self.yaw))

    @property
    def right(self):
        """(..., 2) direction of the CAD's x axis on the floor."""
        return torch.stack([self.yaw.cos(), self.yaw.sin()], -1)

    @property
    def back(self):
        """(..., 2) direction of the CAD's z axis on the floor."""
        return torch.stack([self.yaw.sin(), -self.yaw.cos()], -1)

    def reach(self, direction):
        """(...) half the footprint's extent along (..., 2) unit directions [m]."""
        along_right = (self.right * direction).sum(-1).abs() * self.half[..., 0]
        return along_right + (self.back * direction).sum(-1).abs() * self.half[..., 2]


def overlap(a, b):
    """(...) True where two broadcast Blocks share space: no axis of either separates them."""
    offset = b.centre - a.centre
    hit = offset[..., 2].abs() < a.half[..., 1] + b.half[..., 1]
    for axis in (a.right, a.back, b.right, b.back):
        apart = (offset[..., :2] * axis).sum(-1).abs()
        hit = hit & (apart < a.reach(axis) + b.reach(axis))
    return hit
