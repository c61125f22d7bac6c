"""The built-in library: a fixed choice of generated furniture, the same for the same seed."""

import itertools
import zlib

import numpy as np

from roomcad_core.furniture import STYLES, generate
from roomcad_core.library_build.model import Mesh, cad_model

LICENCE = "Apache-2.0"
COUNT = 2 * sum(len(styles) for styles in STYLES.values())  # two of every style


def styles_in_turn():
    """(label, style, number) without end: every style of every class once, then again."""
    for number in itertools.count(1):
        for label, styles in STYLES.items():
            for style in styles:
                yield label, style, number


def builtin_models(seed, count):
    """Yield (CadModel, GLB bytes) of `count` pieces of furniture."""
    for label, style, number in sorted(itertools.islice(styles_in_turn(), count)):
        yield builtin_model(label, style, number, seed)


def builtin_model(label, style, number, seed):
    """One piece; it depends on its own name and the seed only, not on the other pieces."""
    cad_id = f"{label}_{style}_{number:02d}"
    rng = np.random.default_rng([seed, zlib.crc32(cad_id.encode())])
    piece = generate(label, rng, style)
    colors = np.asarray(piece.mesh.visual.face_colors)[:, :3]
    mesh = Mesh(np.asarray(piece.mesh.vertices), np.asarray(piece.mesh.faces), colors)
    source = f"roomcad furniture generator, seed {seed}"
    return cad_model(cad_id, label, mesh, piece.symmetry, LICENCE, source)
