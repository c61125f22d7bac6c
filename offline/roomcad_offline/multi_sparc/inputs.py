"""Sparse inputs: the rows of 13 channels that describe an object, its CAD model and their image.

An object has n_bbox image samples in its box (token 0), n_cad image samples at the pixels of its
CAD points (token 1) and the n_cad posed CAD points themselves (token 2). Rows that mean nothing
are zero and masked: image samples outside the image, CAD points behind the camera, empty slots.
Choices the paper leaves open: image samples take the nearest pixel, and the bearing of its
centre, so that depth and bearing belong together; bearings are unit rays; depth is z [m] for
image and CAD alike, not normalised; the detection's id is slot / (n_mul - 1); a CAD point beside
the image keeps its own row, which tells where the rest of a truncated object would be.
Gathers and masks only, nothing that depends on data, so all of it can be exported.
"""

from typing import NamedTuple

import torch
from torch.nn import functional

from roomcad_offline.multi_sparc.pose import pose_normals, pose_points

CHANNELS = 13
RGB, NORMAL, DEPTH, MASK, BEARING, TOKEN, SLOT = 0, 3, 6, 7, 8, 11, 12  # first channel of each
GAP = 0.25  # [m] see _pair
FAR = 1.5  # [sizes of the object] points in its frame are cut off here
NEAREST = 0.05  # [m] CAD points nearer than this count as behind the camera
FARTHEST = 1000.0  # [m] a pose that puts CAD points beyond this means nothing
GOLDEN = 1.32471795724474602596  # root of x³ = x + 1: its powers give the R2 sequence


class View(NamedTuple):
    """What the network may see of B images with M objects each: a Batch without the truth.

    Attributes:
        table: (images·H·W, 8) one row a pixel: RGB, normal, depth, instance.
        first: (B,) row of each image's first pixel in the table.
        height, width: size of the maps [px].
        K, valid, box, cad_points, cad_normals: as in Batch.
    """

    table: torch.Tensor
    first: torch.Tensor
    height: int
    width: int
    K: torch.Tensor
    valid: torch.Tensor
    box: torch.Tensor
    cad_points: torch.Tensor
    cad_normals: torch.Tensor

    def repeat(self, times):
        """Every image `times` times in a row (for several initialisations); one table for all."""
        return View(
            *(self.table, self.first.repeat_interleave(times, 0), self.height, self.width),
            *(value.repeat_interleave(times, 0) for value in self[4:]),
        )


def view_of(batch):
    """The View of a Batch, or of anything with its fields from rgb to cad_normals."""
    count, _, height, width = batch.rgb.shape
    instance = batch.instance[:, None].to(batch.rgb.dtype)
    maps = torch.cat([batch.rgb, batch.normal, batch.depth, instance], 1)
    table = maps.flatten(2).transpose(1, 2).reshape(count * height * width, 8)
    first = torch.arange(count, device=table.device) * (height * width)
    fields = batch.K, batch.valid, batch.box, batch.cad_points, batch.cad_normals
    return View(table, first, height, width, *fields)


def sample_pattern(n):
    """(n, 2) positions in 0-1 that cover a box evenly, whatever n (the R2 sequence)."""
    steps = torch.arange(1, n + 1, dtype=torch.float64)[:, None]
    return ((0.5 + steps * torch.tensor([1 / GOLDEN, 1 / GOLDEN**2])) % 1).float()


def sparse_inputs(view, pose, pattern, config, n_mul):
    """All rows of all objects.

    Args:
        view: View of B images.
        pose: Pose, (B, M) of it.
        pattern: (n_bbox, 2), or any shape that broadcasts to (B, M, n_bbox, 2); in 0-1.
        config: InputConfig.
        n_mul: objects aligned jointly.

    Returns:
        rows (B, M, n_bbox + 2·n_cad, config.channels) and mask (B, M, n_bbox + 2·n_cad), True =
        means something.
    """
    return at_pose(box_rows(view, pattern, config, n_mul), view, pose, config, n_mul)


def at_pose(box, view, pose, config, n_mul):
    """As sparse_inputs, of what box_rows has given."""
    rows, mask = (
        torch.cat(parts, 2) for parts in zip(box, cad_rows(view, pose, config, n_mul), strict=True)
    )
    return (in_object_frame(rows, pose) if config.object_frame else rows), mask


def in_object_frame(rows, pose):
    """Rows with 6 more channels: their point in the unit box of the CAD model at `pose`, and their
    normal turned into its frame; zero where the depth or the normal is missing."""
    ray = rows[..., BEARING : BEARING + 3]
    z = rows[..., DEPTH : DEPTH + 1]
    here = (z > 0) & (ray[..., 2:] > 0)
    point = ray * (z / torch.where(here, ray[..., 2:], torch.ones_like(z)))
    unit = ((point - pose.T[..., None, :]) @ pose.R / pose.S[..., None, :]).clamp(-FAR, FAR)
    normal = rows[..., NORMAL:DEPTH] @ pose.R
    # As in cad_rows: comparisons with NaN fail, so poses that are no poses give zeros.
    unit = torch.where(here & (unit.abs() <= FAR), unit, torch.zeros_like(unit))
    normal = torch.where(normal.abs() < 2, normal, torch.zeros_like(normal))
    return torch.cat([rows, unit, normal], -1)


def box_rows(view, pattern, config, n_mul):
    """Rows (B, M, n_bbox, 13 or 17) and mask of the box samples; no pose in them."""
    u, v = box_positions(view.box, pattern, config.box_margin)
    rows, mask = _image_rows(view, u, v, token=0, n_mul=n_mul)
    return functional.pad(rows, (0, 4 * config.paired)), mask


def box_positions(box, pattern, margin):
    """u and v (B, M, n_bbox) [px] of a pattern in boxes enlarged by a share `margin`."""
    low, high = box[..., None, :2], box[..., None, 2:]
    where = (low + high) / 2 + (high - low) * (1 + margin) * (pattern - 0.5)
    return where[..., 0], where[..., 1]


def cad_rows(view, pose, config, n_mul):
    """Rows (B, M, 2·n_cad, 13) and mask: image samples at the CAD points, then the points.

    Raises:
        ValueError: the view has fewer CAD points.
    """
    n_cad = config.n_cad
    if view.cad_points.shape[2] < n_cad:
        raise ValueError(f"cad_points: expected at least {n_cad}, got {view.cad_points.shape[2]}")
    points = pose_points(pose, view.cad_points[:, :, :n_cad])
    normals = pose_normals(pose, view.cad_normals[:, :, :n_cad])
    z = points[..., 2:]
    # Comparisons with NaN fail, which masks the rows of poses that are no poses.
    sound = ((points.abs() < FARTHEST) & (normals.abs() < 2)).all(-1)
    ahead = (z[..., 0] > NEAREST) & sound & view.valid[..., None]
    u, v = project(points, view.K)
    image, image_mask = _image_rows(view, u, v, token=1, n_mul=n_mul, mask=ahead)
    empty = torch.zeros_like(points)
    bearing = points / torch.linalg.vector_norm(points, dim=-1, keepdim=True)
    marks = _marks(points, token=2, n_mul=n_mul)
    cad = torch.cat([empty, normals, z, torch.zeros_like(z), bearing, marks], -1)
    cad = torch.where(ahead[..., None], cad, torch.zeros_like(cad))
    if config.paired:
        image, cad = _pair(image, cad, image_mask)
    return torch.cat([image, cad], 2), torch.cat([image_mask, ahead], 2)


def _pair(image, cad, mask):
    """Image rows and CAD rows with 4 more channels: the partner's normal, and the gap between.

    The gap is how far the image's surface lies behind the CAD point, in units of GAP and cut off
    at two of them; 0 where the depth is missing.
    """
    gap = ((image[..., DEPTH] - cad[..., DEPTH]) / GAP).clamp(-2, 2)
    gap = torch.where(mask & (image[..., DEPTH] > 0), gap, torch.zeros_like(gap))[..., None]
    seen = mask[..., None].to(gap.dtype)
    of_cad, of_image = cad[..., NORMAL:DEPTH] * seen, image[..., NORMAL:DEPTH] * seen
    return torch.cat([image, of_cad, gap], -1), torch.cat([cad, of_image, gap], -1)


def project(points, K):
    """u and v (B, M, P) [px] of (B, M, P, 3) camera-frame points."""
    x, y, z = points.unbind(-1)
    fx, fy, cx, cy = _pinhole(K)
    return fx * x / z + cx, fy * y / z + cy


def unproject(u, v, K):
    """(B, M, P, 3) points at z = 1 under pixels u and v (B, M, P)."""
    fx, fy, cx, cy = _pinhole(K)
    return torch.stack([(u - cx) / fx, (v - cy) / fy, torch.ones_like(u)], -1)


def look_up(view, u, v, mask):
    """The table's rows (B, M, P, 8) of the pixels nearest to u and v, and where they exist.

    Rows are those of the image's border where there is no such pixel or `mask` is False.

    Returns:
        rows; column and row of the pixels, float (B, M, P); mask (B, M, P).
    """
    column, row = (u + 0.5).floor(), (v + 0.5).floor()
    mask = mask & (column >= 0) & (column < view.width) & (row >= 0) & (row < view.height)
    column = torch.where(mask, column, torch.zeros_like(column))
    row = torch.where(mask, row, torch.zeros_like(row))
    index = (row * view.width + column).long() + view.first[:, None, None]
    found = view.table.index_select(0, index.flatten()).view(*index.shape, 8)
    return found, column, row, mask


def own_pixels(found):
    """(B, M, P) 1.0 where a pixel found by look_up is given to the slot's object, else 0.0."""
    return (found[..., 7] == _slots(found)[:, None] + 1).to(found.dtype)


def _image_rows(view, u, v, token, n_mul, mask=None):
    """13 channels of the image at u and v (B, M, P), zero where masked, and the mask."""
    mask = view.valid[..., None].expand(u.shape) if mask is None else mask
    found, column, row, mask = look_up(view, u, v, mask)
    ray = unproject(column, row, view.K)
    bearing = ray / torch.linalg.vector_norm(ray, dim=-1, keepdim=True)
    marks = _marks(found, token, n_mul)
    rows = torch.cat([found[..., :7], own_pixels(found)[..., None], bearing, marks], -1)
    return torch.where(mask[..., None], rows, torch.zeros_like(rows)), mask


def _marks(like, token, n_mul):
    """(B, M, P, 2) token and detection id of rows of M objects."""
    slot = (_slots(like) % n_mul) / max(n_mul - 1, 1)
    slot = slot[:, None, None].expand(*like.shape[:3], 1)
    return torch.cat([torch.full_like(slot, token), slot], -1)


def _slots(like):
    """(M,) numbers of the slots of a (B, M, ...) tensor."""
    return torch.arange(like.shape[1], device=like.device, dtype=like.dtype)


def _pinhole(K):
    """fx, fy, cx, cy, each (B, 1, 1)."""
    entries = K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]
    return tuple(entry[:, None, None] for entry in entries)
