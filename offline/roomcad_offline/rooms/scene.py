"""A furnished room as triangles: what the rays hit, which instance and which material it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from roomcad_core.pose import affine, transform
from roomcad_offline.rooms import materials, shapes
from roomcad_offline.rooms.shapes import Mesh

FIRST_CLUTTER = 1001  # instance number of the first piece of clutter
HIT = ("t_hit", "geometry_ids", "primitive_normals")  # what a cast gives, unless told
NOTHING = 0xFFFFFFFF  # geometry id of a ray that hits nothing


class Part(NamedTuple):
    """One material of one thing."""

    mesh: Mesh  # room frame
    material: int  # index into Scene.materials
    instance: int  # 0 structure, 1.. furniture, FIRST_CLUTTER.. clutter
    frame: tuple  # x, y, z, yaw of the frame its texture is fixed to


@dataclass(frozen=True)
class Scene:
    """Parts in the order of the ray caster's geometry ids."""

    parts: tuple[Part, ...]
    materials: tuple[materials.Material, ...]
    lamps: tuple  # (position (3,), colour (3,)) point lights, strongest first
    caster: object  # open3d RaycastingScene


def raycaster(meshes):
    """Open3D/Embree scene; geometry k is meshes[k]."""
    try:
        import open3d as o3d
    except ImportError as error:
        raise ImportError(
            f"simulated rooms need Open3D: pip install open3d-cpu ({error})"
        ) from None
    scene = o3d.t.geometry.RaycastingScene()
    for mesh in meshes:
        scene.add_triangles(
            o3d.core.Tensor(np.ascontiguousarray(mesh.vertices, np.float32)),
            o3d.core.Tensor(np.ascontiguousarray(mesh.triangles, np.uint32)),
        )
    return scene


def cast(caster, rays, threads=0, keys=HIT):
    """Cast (..., 6) float32 rays; dict of arrays, `keys` being Open3D's names of them."""
    import open3d as o3d

    hit = caster.cast_rays(o3d.core.Tensor.from_numpy(rays), nthreads=threads)
    return {k: hit[k].numpy() for k in keys}


def item_mesh(item):
    """Room-frame Mesh of an Item and its triangle colours (F, 3)."""
    vertices, triangles, colors = item.model.load_mesh()
    posed = transform(affine(item.T_room_obj, item.S), np.asarray(vertices, float))
    return Mesh(posed, np.asarray(triangles)), colors


class Builder:
    """Collects parts and materials."""

    def __init__(self, rng):
        self.rng, self.parts, self.materials = rng, [], []

    def material(self, kind):
        """Index of a fresh material of a kind of materials.MATERIALS."""
        self.materials.append(materials.MATERIALS[kind](self.rng))
        return len(self.materials) - 1

    def add(self, mesh, kind, instance=0, frame=(0.0, 0.0, 0.0, 0.0)):
        """Add a mesh of one material."""
        self.parts.append(Part(mesh, self.material(kind), instance, frame))

    def furniture(self, item, mesh, colors, instance):
        """Add a CAD model, each of its colours (F, 3) as a material of its own."""
        shades, group = np.unique(np.asarray(colors), axis=0, return_inverse=True)
        fp = item.footprint
        frame = (fp.x, fp.y, item.bottom, fp.yaw)
        for k, shade in enumerate(shades):
            part = Mesh(mesh.vertices, mesh.triangles[group.ravel() == k])
            kind = materials.dress(shade.astype(float), item.model.label, self.rng)
            self.add(part, kind, instance, frame)

    def clutter(self, stood, instance):
        """Add a piece of clutter."""
        fp = stood.footprint
        for mesh, kind in stood.thing.parts:
            posed = shapes.moved(mesh, (fp.x, fp.y, stood.bottom), fp.yaw)
            self.add(posed, kind, instance, (fp.x, fp.y, stood.bottom, fp.yaw))

    def structure(self, plan, ceiling):
        """Floor, walls, skirting, rug, openings and, on request, the ceiling."""
        w, d, h, t = plan.width, plan.depth, plan.height, 0.1
        pick = self.rng.choice
        floor = str(pick(["parquet", "parquet", "carpet", "tiles", "wood", "plain"]))
        self.add(shapes.box((-t, -t, -t), (w + t, d + t, 0)), floor)
        self.rug(w, d)
        if ceiling:
            self.add(shapes.box((-t, -t, h), (w + t, d + t, h + t)), "wall")
        kind = str(pick(["wall", "wall", "wallpaper"]))
        walls = [
            shapes.box((-t, -t, 0), (w + t, 0, h)),
            shapes.box((w, 0, 0), (w + t, d, h)),
            shapes.box((-t, d, 0), (w + t, d + t, h)),
            shapes.box((-t, 0, 0), (0, d, h)),
        ]
        accent = self.rng.integers(8)  # one wall may have a colour of its own
        self.add(shapes.merged([m for i, m in enumerate(walls) if i != accent]), kind)
        if accent < 4:
            self.add(walls[accent], str(pick(["plain", "tiles", "wallpaper"])))
        for opening in plan.openings:
            self.opening(plan, opening)

    def rug(self, width, depth):
        """Often a rug, too thin to count as a thing."""
        if self.rng.random() < 0.5:
            size = self.rng.uniform(0.3, 0.55, 2) * (width, depth)
            x, y = self.rng.uniform(0.4, 0.6, 2) * (width, depth)
            kind = str(self.rng.choice(["carpet", "stripes", "fabric"]))
            self.add(shapes.moved(shapes.block(*size, 0.004), (x, y, 0)), kind)

    def opening(self, plan, o):
        """A door, window or picture with its frame, a thin patch on the wall."""
        kind = {"door": "wood", "window": "glass", "picture": "picture"}[o.kind]
        for grow, thick, material in ((0.05, 0.012, "wall"), (0.0, 0.018, kind)):
            fp = plan.at_wall(o.wall, o.along, o.width / 2 + grow, thick / 2)
            block = shapes.block(2 * fp.half_width, thick, o.high - o.low + grow)
            frame = (fp.x, fp.y, o.low, fp.yaw)
            self.add(shapes.moved(block, frame[:3], fp.yaw), material, 0, frame)


def lamps(plan, rng):
    """Point lights below the ceiling: ((3,) position, (3,) linear colour) tuples."""
    out = []
    for k in range(rng.integers(2, 4)):
        x, y = rng.uniform(0.25, 0.75, 2) * (plan.width, plan.depth)
        warmth = rng.uniform(-0.12, 0.12)
        power = rng.uniform(0.7, 1.0) if k == 0 else rng.uniform(0.3, 0.7)
        color = power * np.array([1 + warmth, 1.0, 1 - warmth])
        out.append((np.array([x, y, plan.height - rng.uniform(0.15, 0.4)]), color))
    return tuple(out)


def build(plan, things, config, rng):
    """Scene of a plan's items and the Stood `things`."""
    builder = Builder(rng)
    builder.structure(plan, config.ceiling)
    for k, item in enumerate(plan.items):
        builder.furniture(item, *item_mesh(item), k + 1)
    for k, stood in enumerate(things):
        builder.clutter(stood, FIRST_CLUTTER + k)
    caster = raycaster([part.mesh for part in builder.parts])
    return Scene(tuple(builder.parts), tuple(builder.materials), lamps(plan, rng), caster)
