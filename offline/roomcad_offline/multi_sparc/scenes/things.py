"""Everything that is drawn as a mesh: furniture, then clutter, posed in the camera frame."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Things:
    """A meshes an image; X_cam = R @ (S * x_unit) + T."""

    model: torch.Tensor  # (B, A) row of the bank's meshes
    R: torch.Tensor  # (B, A, 3, 3) camera from object
    T: torch.Tensor  # (B, A, 3) [m]
    S: torch.Tensor  # (B, A, 3) metric size [m]
    present: torch.Tensor  # (B, A) bool

    def triangles(self, bank):
        """The triangles of all that is present, in the camera frame.

        Returns:
            corners: (F, 3, 3) [m]: corner, coordinate.
            thing: (F,) flat index image * A + thing.
            part: (F,) part of its mesh.
        """
        shown = self.present.flatten().nonzero().squeeze(1)
        model = self.model.flatten()[shown]
        count = bank.count[model]
        which = torch.repeat_interleave(count)
        first = bank.first[model] - (count.cumsum(0) - count)
        row = first[which] + torch.arange(len(which), device=which.device)
        affine = (self.R * self.S[..., None, :]).flatten(0, 1)[shown].transpose(1, 2)
        shift = self.T.flatten(0, 1)[shown]
        corners = bank.corners.view(-1, 9).index_select(0, row).view(-1, 3, 3)
        corners = corners @ affine.reshape(-1, 9).index_select(0, which).view(-1, 3, 3)
        return corners + shift[which][:, None], shown[which], bank.part[row]


def pose_things(models, blocks, present, R_cam_level, lean):
    """Things of Blocks in the level frame.

    Args:
        models, present: (B, A).
        blocks: (B, A) Blocks.
        R_cam_level: (B, 3, 3).
        lean: (B, A, 3, 3) rotation in the CAD frame that comes before the turn about up.
    """
    R = R_cam_level[:, None] @ upright_rotation(blocks.yaw) @ lean
    T = blocks.centre @ R_cam_level.transpose(1, 2)
    return Things(models, R, T, 2 * blocks.half, present)


def join(a, b):
    """Things `a` followed by `b` in every image."""
    names = ("model", "R", "T", "S", "present")
    return Things(*(torch.cat([getattr(a, n), getattr(b, n)], 1) for n in names))


def upright_rotation(yaw):
    """(..., 3, 3) as roomcad_core.pose.upright_rotation: from the CAD to a z-up frame."""
    c, s, zero, one = yaw.cos(), yaw.sin(), torch.zeros_like(yaw), torch.ones_like(yaw)
    rows = torch.stack([c, zero, s, s, zero, -c, zero, one, zero], -1)
    return rows.view(*yaw.shape, 3, 3)


def leaning(angle_x, angle_z):
    """(..., 3, 3) rotation about x, then about z [rad]."""
    cx, sx, cz, sz = angle_x.cos(), angle_x.sin(), angle_z.cos(), angle_z.sin()
    zero = torch.zeros_like(cx)
    rows = torch.stack([cz, -sz * cx, sz * sx, sz, cz * cx, -cz * sx, zero, sx, cx], -1)
    return rows.view(*angle_x.shape, 3, 3)
