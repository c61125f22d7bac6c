"""Procedural furniture of infinigen (BSD-3-Clause): infinigen:COUNT[:SEED].

Nothing of infinigen or Blender is imported here: both run in an environment of their own.
"""

from __future__ import annotations

import functools
import logging

import numpy as np

from roomcad_core.furniture.beds import bedding
from roomcad_core.furniture.parts import Parts
from roomcad_core.library_build.axes import turn_to_cad
from roomcad_core.library_build.candidate import Candidate
from roomcad_core.library_build.infinigen_maker import VERSION, Maker, models_python
from roomcad_core.library_build.infinigen_plan import TRIES, Job, plan, usual_size
from roomcad_core.library_build.model import Mesh, centred

LICENCE = "BSD-3-Clause"
ENAMEL = 238  # infinigen makes bathtubs and toilets dark and colourful; real ones are white

log = logging.getLogger(__name__)


def candidates(argument: str = "") -> list[Candidate]:
    """Candidates of COUNT[:SEED] models; each is made when it is read."""
    count, seed = _numbers(argument)
    maker = Maker(models_python())
    log.info("infinigen has no bins: deep flower pots and tall baskets stand in")
    return [
        Candidate(
            id=job.id,
            label=job.label,
            licence=LICENCE,
            source=f"infinigen {VERSION}, {job.factory.name}, seed {seed}, number {job.number}",
            read=functools.partial(read, job, maker),
        )
        for job in plan(count, seed)
    ]


def _numbers(argument: str) -> tuple[int, int]:
    """COUNT and SEED as written in the command."""
    words = argument.split(":")
    try:
        count, seed = int(words[0]), int(words[1]) if len(words) > 1 else 0
    except ValueError:
        count = seed = 0
    if count < 1 or seed < 0 or len(words) > 2:
        raise ValueError(
            f"infinigen:{argument}: expected infinigen:COUNT[:SEED], COUNT from 1 and SEED from 0"
        )
    return count, seed


def read(job: Job, maker: Maker) -> Mesh:
    """The metric mesh of a job in the CAD frame; the first draw of a usual size counts."""
    sizes = []
    for seed, settings in job.draws():
        mesh = dressed(job, *maker.make(job.factory, seed, settings))
        size = centred(mesh)[1]
        if usual_size(job.label, size):
            return mesh
        sizes.append(np.round(size, 2).tolist())
    raise ValueError(f"no usual size in {TRIES} draws, the last one {sizes[-1]} m")


def dressed(job: Job, mesh: Mesh, numbers: dict[str, float]) -> Mesh:
    """The mesh turned into the CAD frame, with what infinigen leaves out."""
    vertices = mesh.vertices @ turn_to_cad("z", job.factory.front).T
    mesh = Mesh(vertices, mesh.triangles, mesh.colors)
    if job.label in ("bathtub", "toilet"):
        return Mesh(vertices, mesh.triangles, _enamel(mesh.colors))
    if job.label == "bed":
        return _joined(mesh, _bedding(job, numbers))
    return mesh


def _enamel(colors: np.ndarray) -> np.ndarray:
    """Nearly white; what is darker than the rest stays so."""
    bright = colors * (ENAMEL / max(int(colors.max()), 1))
    return (0.8 * bright.max(axis=1, keepdims=True) + 0.2 * bright).astype(np.uint8)


def _bedding(job: Job, numbers: dict[str, float]) -> Mesh:
    """Mattress, blanket and pillows; a frame's slats are at y = 0, its head at z = 0.

    Infinigen's own bedding is simulated cloth, which takes minutes a bed.
    """
    parts = Parts(np.random.default_rng([job.seed, job.number]))
    width = numbers["width"] - 0.5 * numbers["leg_thickness"]
    foot, head = -numbers["size"] + 0.04, -0.5 * numbers["leg_thickness"] - 0.02
    bedding(parts, width, (foot, head), 0.5 * numbers["thickness"], 2 if width > 1.2 else 1)
    solids = [solid.to_mesh() for solid in parts.solids]
    meshes = [
        Mesh(
            solid.vert_properties[:, :3].astype(float),
            np.asarray(solid.tri_verts),
            np.tile(np.uint8(color), (len(solid.tri_verts), 1)),
        )
        for solid, color in zip(solids, parts.colors, strict=True)
    ]
    return functools.reduce(_joined, meshes)


def _joined(one: Mesh, other: Mesh) -> Mesh:
    return Mesh(
        np.concatenate([one.vertices, other.vertices]),
        np.concatenate([one.triangles, other.triangles + len(one.vertices)]),
        np.concatenate([one.colors, other.colors]),
    )
