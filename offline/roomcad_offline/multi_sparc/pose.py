"""Pose algebra: updates that decouple distance, direction, rotation and size, and pose errors.

A pose maps the CAD unit frame into the camera: X_cam = R @ (S * x_unit) + T. Its translation is
moved in polar coordinates of the OpenCV camera, d = |T|, phi = atan2(x, z) and theta =
atan2(y, sqrt(x² + z²)), whose poles are straight above and below the camera and so outside every
view. Choices the paper leaves open: factors are 2·sigmoid(x), in 0-2, or exp(tanh(x)), in
1/e-e, both 1 at 0; (0, 0, 0, 1) is added to the xyzw quaternion before it is normalised. Hence an
output of zeros leaves a pose as it is. No step depends on data, so all of it can be exported.
"""

from typing import NamedTuple

import torch

OUTPUTS = 11  # distance, phi, theta | quaternion xyzw | scale xyz | logit of sigma
LOGIT = 10  # index of sigma's logit
LARGEST_TRANSLATION = 0.20  # [m]; a pose within all three is correct
LARGEST_ROTATION = torch.pi / 9  # [rad]
LARGEST_SCALE = 0.20
ROTATIONAL = 36  # the symmetry number of models that any turn leaves unchanged
TINY = 1e-12


class Pose(NamedTuple):
    """T (..., 3) [m], R (..., 3, 3) rotation and S (..., 3) metric size; camera from object."""

    T: torch.Tensor
    R: torch.Tensor
    S: torch.Tensor

    def map(self, function):
        """The pose with a function applied to each of its tensors."""
        return Pose(*map(function, self))


def true_pose(batch):
    """The true poses of a Batch."""
    return Pose(batch.T_gt, batch.R_gt, batch.S_gt)


def fill_empty(pose, valid):
    """The pose with harmless values (3 m ahead, unturned, 1 m) in slots that hold no object."""
    ahead = pose.T.new_tensor([0.0, 0.0, 3.0])
    return Pose(
        torch.where(valid[..., None], pose.T, ahead),
        torch.where(valid[..., None, None], pose.R, torch.eye(3).to(pose.R)),
        torch.where(valid[..., None], pose.S, torch.ones_like(pose.S)),
    )


def pose_points(pose, points):
    """(..., P, 3) camera-frame points of (..., P, 3) unit-frame points."""
    return (points * pose.S[..., None, :]) @ pose.R.transpose(-1, -2) + pose.T[..., None, :]


def pose_normals(pose, normals):
    """(..., P, 3) unit normals in the camera frame of unit normals in the unit frame."""
    width, height, depth = pose.S.unbind(-1)
    # In proportion to 1 / S, and no division by a vanishing size.
    cofactors = torch.stack([height * depth, width * depth, width * height], -1)
    turned = (normals * cofactors[..., None, :]) @ pose.R.transpose(-1, -2)
    return turned / (turned.square().sum(-1, keepdim=True) + TINY).sqrt()


def update(pose, output, scale_factor):
    """The pose after one update.

    Args:
        pose: Pose with leading axes (...).
        output: (..., 11) raw network outputs; zeros leave the pose unchanged.
        scale_factor: "2sigmoid" or "exptanh".
    """
    distance, phi, theta = output[..., 0], output[..., 1], output[..., 2]
    T = _move(pose.T, factor(distance, scale_factor), phi, theta)
    R = pose.R @ rotation(output[..., 3:7])
    return Pose(T, R, pose.S * factor(output[..., 7:10], scale_factor))


def factor(x, kind):
    """A positive factor of a raw output, 1 at 0."""
    return 2 * torch.sigmoid(x) if kind == "2sigmoid" else torch.exp(torch.tanh(x))


def _move(T, factor, phi, theta):
    """Translation at `factor` times the distance and turned by phi and theta.

    The sums of angles are written out in sines and cosines: no arctangent, nothing that wraps.
    """
    x, y, z = T.unbind(-1)
    level = (x.square() + z.square() + TINY).sqrt()
    reach = factor * (level * theta.cos() - y * theta.sin()) / level
    height = factor * (y * theta.cos() + level * theta.sin())
    side = reach * (x * phi.cos() + z * phi.sin())
    forward = reach * (z * phi.cos() - x * phi.sin())
    return torch.stack([side, height, forward], -1)


def rotation(output):
    """(..., 3, 3) rotation of a raw (..., 4) quaternion output xyzw; identity at zero."""
    x, y, z, w = output.unbind(-1)
    w = w + 1
    length = (x * x + y * y + z * z + w * w + TINY).sqrt()
    x, y, z, w = x / length, y / length, z / length, w / length
    entries = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    entries += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    entries += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    return torch.stack(entries, -1).unflatten(-1, (3, 3))


def rotation_about(axis, angle):
    """(..., 3, 3) right-handed turns by `angle` (...) [rad] about axis 0, 1 or 2."""
    c, s, one, zero = angle.cos(), angle.sin(), torch.ones_like(angle), torch.zeros_like(angle)
    rows = {
        0: (one, zero, zero, zero, c, -s, zero, s, c),
        1: (c, zero, s, zero, one, zero, -s, zero, c),
        2: (c, -s, zero, s, c, zero, zero, zero, one),
    }
    return torch.stack(rows[axis], -1).unflatten(-1, (3, 3))


def pose_errors(pose, true, symmetry):
    """Errors over symmetric turns: translation [m], rotation [rad], scale mean|s/s_true - 1|."""
    difference = pose.R.transpose(-1, -2) @ true.R
    steps = torch.ones_like(symmetry, dtype=torch.bool)
    turned = difference @ rotation_about(1, _nearest_turn(difference, symmetry, steps))
    cosine = (turned.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    translation = torch.linalg.vector_norm(pose.T - true.T, dim=-1)
    return translation, cosine.clamp(-1, 1).arccos(), (pose.S / true.S - 1).abs().mean(-1)


def correct(pose, true, symmetry):
    """(...) bool: within 20 cm, 20 degrees and 20 % of the truth, over symmetric turns."""
    translation, angle, scale = pose_errors(pose, true, symmetry)
    close = (translation <= LARGEST_TRANSLATION) & (angle <= LARGEST_ROTATION)
    return close & (scale <= LARGEST_SCALE)


def nearest_equivalent(R, true, symmetry):
    """The pose that looks like `true` and whose rotation is nearest to R.

    Turned by the symmetry's steps, or freely for rotational models. The size turns along: a
    quarter turn swaps width and depth, and in between their squares are mixed.

    Args:
        R: (..., 3, 3) rotations.
        true: Pose with the same leading axes.
        symmetry: (...) integers 1, 2, 4 or 36.
    """
    angle = _nearest_turn(R.transpose(-1, -2) @ true.R, symmetry, symmetry < ROTATIONAL)
    c, s = angle.cos().square(), angle.sin().square()
    width, height, depth = true.S.square().unbind(-1)
    S = torch.stack([c * width + s * depth, height, s * width + c * depth], -1).sqrt()
    return Pose(true.T, true.R @ rotation_about(1, angle), S)


def turned_towards(R, R_like):
    """Rotations R (..., 3, 3) turned about their own y so that they are nearest to R_like."""
    difference = R_like.transpose(-1, -2) @ R
    free = torch.zeros(difference.shape[:-2], dtype=torch.bool, device=R.device)
    return R @ rotation_about(1, _nearest_turn(difference, torch.ones_like(free), free))


def _nearest_turn(difference, symmetry, stepped):
    """(...) turn a about y [rad] for which difference @ R_y(a) is nearest to the identity.

    A multiple of 2 pi / symmetry where `stepped`, any angle elsewhere.
    """
    D = difference
    best = torch.atan2(D[..., 2, 0] - D[..., 0, 2], D[..., 0, 0] + D[..., 2, 2])
    step = 2 * torch.pi / symmetry.to(best.dtype).clamp(min=1)
    return torch.where(stepped, (best / step).round() * step, best)
