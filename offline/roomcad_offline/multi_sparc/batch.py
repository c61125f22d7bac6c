"""What the generators hand to Multi-SPARC: low-resolution maps and objects padded to M slots.

Camera frame: OpenCV optical (x right, y down, z forward), metres. Pixel centres lie at integer
coordinates of the maps. A pose maps the CAD unit frame (x right, y up, z back; bounding box of
extents 1 around the origin) into the camera: X_cam = R_gt @ (S_gt * x_unit) + T_gt.
"""

from dataclasses import dataclass, fields, replace

import torch

# Field -> axes. Letters are sizes that must agree over all fields.
SHAPES = {
    "rgb": ("B", 3, "H", "W"),
    "normal": ("B", 3, "H", "W"),
    "depth": ("B", 1, "H", "W"),
    "instance": ("B", "H", "W"),
    "K": ("B", 3, 3),
    "valid": ("B", "M"),
    "box": ("B", "M", 4),
    "cad_points": ("B", "M", "P", 3),
    "cad_normals": ("B", "M", "P", 3),
    "symmetry": ("B", "M"),
    "size": ("B", "M", 3),
    "size_low": ("B", "M", 3),
    "size_high": ("B", "M", 3),
    "T_gt": ("B", "M", 3),
    "R_gt": ("B", "M", 3, 3),
    "S_gt": ("B", "M", 3),
    "up": ("B", 3),
}
INTEGER = ("instance", "symmetry")


@dataclass
class Batch:
    """B images with up to M objects each; all tensors on one device, floats of one type.

    Attributes:
        rgb: (B, 3, H, W) colours in 0-1.
        normal: (B, 3, H, W) unit normals, camera frame, towards the camera; 0 where unknown.
        depth: (B, 1, H, W) z-depth [m], 0 = missing.
        instance: (B, H, W) integer, slot + 1 of the object the pixel is given to, 0 = none.
        K: (B, 3, 3) intrinsics of the maps [px].
        valid: (B, M) bool, the slot holds an object.
        box: (B, M, 4) xyxy [px of the maps], may reach outside the image.
        cad_points: (B, M, P, 3) surface points, CAD unit frame, uniform on the metric surface.
        cad_normals: (B, M, P, 3) unit normals in the unit frame; posed: normalise(R @ (n / S)).
        symmetry: (B, M) integer 1, 2, 4 or 36: equivalent turns about the CAD's y axis.
        size: (B, M, 3) metric size of the library model.
        size_low, size_high: (B, M, 3) range of metric sizes of the class.
        T_gt, R_gt, S_gt: (B, M, 3), (B, M, 3, 3), (B, M, 3) pose, camera from object.
        up: (B, 3) unit up direction in the camera frame.

    Raises:
        ValueError: a field's shape or type does not fit the others.
    """

    rgb: torch.Tensor
    normal: torch.Tensor
    depth: torch.Tensor
    instance: torch.Tensor
    K: torch.Tensor
    valid: torch.Tensor
    box: torch.Tensor
    cad_points: torch.Tensor
    cad_normals: torch.Tensor
    symmetry: torch.Tensor
    size: torch.Tensor
    size_low: torch.Tensor
    size_high: torch.Tensor
    T_gt: torch.Tensor
    R_gt: torch.Tensor
    S_gt: torch.Tensor
    up: torch.Tensor

    def __post_init__(self):
        sizes = {}
        for name, axes in SHAPES.items():
            _check_type(name, getattr(self, name), self.rgb)
            _check_shape(name, getattr(self, name), axes, sizes)

    def __len__(self):
        return len(self.rgb)

    def __getitem__(self, index):
        """Images picked by a slice, a list or a tensor; an integer keeps the batch axis."""
        index = [index] if isinstance(index, int) else index
        return self._map(lambda value: value[index])

    def to(self, device):
        """The same batch on another device."""
        return self._map(lambda value: value.to(device))

    def repeat(self, times):
        """Every image `times` times in a row: (B·times, ...)."""
        return self._map(lambda value: value.repeat_interleave(times, 0))

    def with_pose(self, T, R, S):
        """The same batch with other true poses."""
        return replace(self, T_gt=T, R_gt=R, S_gt=S)

    @property
    def device(self):
        return self.rgb.device

    def _map(self, function):
        return Batch(**{f.name: function(getattr(self, f.name)) for f in fields(self)})


def cat(batches):
    """One batch of the images of several, which must agree in M, P, H and W.

    Raises:
        ValueError: no batch, or sizes that differ.
    """
    batches = list(batches)
    if not batches:
        raise ValueError("cat needs at least one batch, got none")
    shapes = {tuple(b.cad_points.shape[1:3]) + tuple(b.depth.shape[2:]) for b in batches}
    if len(shapes) > 1:
        raise ValueError(f"batches to join differ in (M, P, H, W): {sorted(shapes)}")
    names = [f.name for f in fields(Batch)]
    return Batch(**{name: torch.cat([getattr(b, name) for b in batches]) for name in names})


def _check_type(name, value, reference):
    """valid is bool, ids are integers, everything else has rgb's floating type and device."""
    if not isinstance(value, torch.Tensor):
        raise ValueError(f"batch.{name}: expected a torch tensor, got {type(value).__name__}")
    if name == "valid":
        fits, wanted = value.dtype == torch.bool, "bool"
    elif name in INTEGER:
        fits = not value.dtype.is_floating_point and value.dtype != torch.bool
        wanted = "an integer type"
    else:
        fits = value.dtype.is_floating_point and value.dtype == reference.dtype
        wanted = f"rgb's type {reference.dtype}" if name != "rgb" else "a floating type"
    if not fits:
        raise ValueError(f"batch.{name}: expected {wanted}, got {value.dtype}")
    if value.device != reference.device:
        raise ValueError(f"batch.{name}: on {value.device}, but rgb is on {reference.device}")


def _check_shape(name, value, axes, sizes):
    """Compare a tensor's shape with its axes; new letters are learnt into `sizes`."""
    wanted = tuple(sizes.get(axis, axis) for axis in axes)
    fits = value.ndim == len(axes) and all(
        isinstance(want, str) or want == got for want, got in zip(wanted, value.shape, strict=True)
    )
    if not fits:
        shown = ", ".join(map(str, wanted))
        raise ValueError(f"batch.{name}: expected shape ({shown}), got {tuple(value.shape)}")
    sizes.update({a: n for a, n in zip(axes, value.shape, strict=True) if isinstance(a, str)})
