"""A piece of furniture while it is being built: coloured closed parts, then one closed mesh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from roomcad_core.furniture.solids import union

WOODS = ((150, 102, 60), (193, 154, 107), (94, 60, 38), (222, 196, 160), (235, 233, 228),
         (60, 55, 52), (178, 122, 72), (120, 85, 60))  # fmt: skip
FABRICS = ((96, 104, 120), (140, 60, 50), (70, 96, 80), (190, 178, 158), (58, 60, 70),
           (60, 84, 128), (200, 196, 190), (168, 120, 60), (110, 74, 60))  # fmt: skip
METALS = ((160, 163, 168), (52, 54, 58), (205, 207, 210), (96, 98, 102))
PLASTICS = ((30, 31, 34), (70, 72, 76), (225, 226, 228), (42, 70, 110), (150, 40, 40))
DARK = ((28, 29, 32), (48, 50, 54), (70, 72, 76), (150, 152, 156))  # cases of devices
ACCENTS = ((170, 50, 45), (40, 90, 140), (60, 120, 70), (215, 180, 70), (90, 60, 110),
           (225, 220, 205), (40, 42, 48), (190, 110, 60))  # fmt: skip
MATERIALS = {"wood": WOODS, "fabric": FABRICS, "metal": METALS, "plastic": PLASTICS}
FIXED = {"white": (240, 240, 238), "screen": (16, 18, 24), "linen": (232, 228, 220)}

SPECK = 1e-7  # pieces of less volume are left-overs of the union [m3]


@dataclass(frozen=True)
class FurnitureModel:
    """One generated piece of furniture, in the CAD frame at metric size."""

    label: str
    style: str
    mesh: Any  # trimesh.Trimesh [m], closed, box centre at 0, front -z, a colour a face
    symmetry: str  # a key of pose.SYMMETRIES, about y


class Parts:
    """Collects closed parts; each material has one colour, drawn once for the whole piece."""

    def __init__(self, rng, symmetry="none"):
        self.rng = rng
        self.symmetry = symmetry
        self.solids = []
        self.colors = []
        self.palette = {name: c[rng.integers(len(c))] for name, c in MATERIALS.items()} | FIXED

    def paint(self, material, color):
        """Set the colour of a material; returns self."""
        self.palette[material] = color
        return self

    def add(self, material, *solids):
        """Add closed solids of a palette material or an RGB colour."""
        color = self.palette[material] if isinstance(material, str) else material
        for solid in solids:
            self.solids.append(solid.as_original())
            self.colors.append(color)

    def mesh(self):
        """The union of all parts as a trimesh.Trimesh, centred, with the parts' face colours."""
        import trimesh

        # Cushions that touch enclose hollows; no camera sees their walls.
        pieces = [p for p in union(self.solids).decompose() if p.volume() > SPECK]
        whole = union(pieces).to_mesh()
        vertices = whole.vert_properties[:, :3].astype(float)
        vertices -= (vertices.min(0) + vertices.max(0)) / 2
        color_of = {s.original_id(): c for s, c in zip(self.solids, self.colors, strict=True)}
        n_faces = np.diff(np.asarray(whole.run_index)) // 3
        colors = np.repeat([color_of[i] for i in whole.run_original_id], n_faces, axis=0)
        return trimesh.Trimesh(
            vertices, whole.tri_verts, face_colors=colors.astype(np.uint8), process=False
        )


def uniform(rng, low, high):
    """A length drawn between two bounds, rounded to a millimetre."""
    return round(float(rng.uniform(low, high)), 3)


def pick(rng, *options):
    """One of the options."""
    return options[rng.integers(len(options))]
