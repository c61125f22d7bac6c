"""An exact z-buffer of triangle meshes at map resolution, for a whole batch at once.

Every triangle is cut into the pixel rows that it crosses, every row into the pixels whose centre
it covers, and the nearest triangle of each pixel wins. Edge functions are homogeneous, so that
triangles reaching behind the camera need no clipping. Both faces of a triangle are seen.
"""

import torch

NEAR = 0.05  # [m] nothing nearer is seen
SLACK = 1e-3  # [px] keeps neighbouring triangles free of cracks
NOTHING = torch.iinfo(torch.int64).max
LOW_BITS = 0xFFFFFFFF


def rasterise(corners, image, K, height, width):
    """Nearest triangle of each pixel.

    Args:
        corners: (F, 3, 3) triangle corners in the camera frame [m]: corner, coordinate.
        image: (F,) int64 index of the image that a triangle is in.
        K: (B, 3, 3) intrinsics [px].
        height, width: size of the images [px].

    Returns:
        triangle: (B, height, width) int64 index into corners, -1 = none.
        depth: (B, height, width) float32 z-depth [m], 0 = none.
    """
    shape = (len(K), height, width)
    best = torch.full((len(K) * height * width,), NOTHING, device=corners.device)
    if len(corners):
        spans = _spans(*_edges(corners, image, K, height, width), height, width)
        pixel, key = _fragments(*spans)
        best.scatter_reduce_(0, pixel, key, "amin")
    hit = best != NOTHING
    triangle = torch.where(hit, best & LOW_BITS, -1)
    depth = torch.where(hit, best >> 32, 0).to(torch.int32).view(torch.float32)
    return triangle.view(shape), depth.view(shape)


def _edges(corners, image, K, height, width):
    """Triangles that may cover a pixel centre.

    Returns:
        index: (T,) which triangles; base: (T,) number of their image's first row.
        rows, columns: (T, 2) first and last row and column, inclusive [px].
        lines: (T, 4, 3) functions a u + b v + c; three are >= 0 inside, the last is 1 / depth.
        nearest, farthest: (T,) range of the depth [m].
    """
    fx, fy, cx, cy = (K[:, i, j][image] for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    z = corners[..., 2]
    nearest, farthest = z.amin(1), z.amax(1)
    whole = nearest > NEAR
    safe = z.clamp(min=NEAR)
    u = fx[:, None] * corners[..., 0] / safe + cx[:, None]
    v = fy[:, None] * corners[..., 1] / safe + cy[:, None]
    columns = _range(u, whole, width)
    rows = _range(v, whole, height)
    may = (farthest > NEAR) & (columns[:, 0] <= columns[:, 1]) & (rows[:, 0] <= rows[:, 1])
    index = may.nonzero().squeeze(1)
    c = corners[index]
    normal = torch.linalg.cross(c[:, [1, 2, 0]], c[:, [2, 0, 1]])  # of the planes camera-edge
    volume = (c[:, 0] * normal[:, 0]).sum(1)
    volume = torch.where(volume.abs() < 1e-12, 1e-12, volume)[:, None]  # seen from the edge
    planes = torch.cat([normal * volume.sign()[..., None], (normal.sum(1) / volume)[:, None]], 1)
    fx, fy, cx, cy = (a[index, None] for a in (fx, fy, cx, cy))
    a, b = planes[..., 0] / fx, planes[..., 1] / fy
    lines = torch.stack([a, b, planes[..., 2] - a * cx - b * cy], 2)
    depths = nearest[index].clamp(min=NEAR), farthest[index]
    return index, image[index] * height, rows[index], columns[index], lines, *depths


def _range(position, whole, size):
    """(F, 2) first and last pixel that corners at (F, 3) positions span, in 0 .. size - 1.

    Triangles that reach behind the camera (not `whole`) may span everything.
    """
    low = torch.where(whole, position.amin(1) - SLACK, 0).clamp(0, size).ceil()
    high = torch.where(whole, position.amax(1) + SLACK, size).clamp(-1, size - 1).floor()
    return torch.stack([low, high], 1).long()


def _spans(index, base, rows, columns, lines, nearest, farthest, height, width):
    """Pixels of each row that a triangle covers.

    Returns:
        triangle, first, n: (R,) triangle, number of the first pixel, number of pixels.
        inverse, step: (R,) 1 / depth at the first pixel and its change from pixel to pixel.
        nearest, farthest: (R,) range of the depth [m].
    """
    n_rows = rows[:, 1] - rows[:, 0] + 1
    t = torch.repeat_interleave(n_rows)  # a row's triangle
    start = n_rows.cumsum(0) - n_rows
    row = torch.arange(len(t), device=t.device) - (start - rows[:, 0])[t]
    lines = lines.reshape(-1, 12)[t].view(-1, 4, 3)
    slope = lines[..., 0]
    constant = lines[..., 1] * row[:, None] + lines[..., 2]
    cut = -constant[:, :3] / slope[:, :3]
    flat = slope[:, :3] == 0
    outside = (flat & (constant[:, :3] < 0)).any(1)
    low = torch.where(flat | (slope[:, :3] < 0), -1.0, cut).amax(1)
    high = torch.where(flat | (slope[:, :3] > 0), float(width), cut).amin(1)
    limits = columns[t]
    first = (low - SLACK).clamp(-1, width).ceil().long().maximum(limits[:, 0])
    last = (high + SLACK).clamp(-1, width).floor().long().minimum(limits[:, 1])
    n = torch.where(outside, 0, (last - first + 1).clamp(min=0))
    kept = (n > 0).nonzero().squeeze(1)
    t, row, first, n = t[kept], row[kept], first[kept], n[kept]
    step = slope[kept, 3]
    inverse = constant[kept, 3] + step * first
    pixel = (base[t] + row) * width + first
    return index[t], pixel, n, inverse, step, nearest[t], farthest[t]


def _fragments(triangle, first, n, inverse, step, nearest, farthest):
    """Pixel number and sorting key of everything that is drawn.

    The key holds the depth's bits above the triangle's number: positive floats sort like integers.
    """
    r = torch.repeat_interleave(n)
    start = n.cumsum(0) - n
    offset = torch.arange(len(r), device=r.device) - start[r]
    depth = 1 / (inverse[r] + step[r] * offset)
    # Rounding near a silhouette must not throw a depth out of its triangle.
    depth = torch.where(depth > 0, depth, farthest[r]).minimum(farthest[r]).maximum(nearest[r])
    return first[r] + offset, (depth.view(torch.int32).long() << 32) | triangle[r]
