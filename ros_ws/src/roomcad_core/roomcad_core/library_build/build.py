"""A CAD library from a source of models: read, put right, sample, write, report."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from tqdm import tqdm

from roomcad_core.library import LibraryWriter
from roomcad_core.library_build import folder, future3d, infinigen, shapenet, sweethome3d
from roomcad_core.library_build.builtin import COUNT, builtin_models
from roomcad_core.library_build.model import cad_model, centred
from roomcad_core.library_build.repair import check, outward
from roomcad_core.library_build.simplify import simplify
from roomcad_core.library_build.symmetry import detect_symmetry

SOURCES = {
    "sweethome3d": sweethome3d.candidates,
    "shapenet": shapenet.candidates,
    "3dfuture": future3d.candidates,
    "infinigen": infinigen.candidates,
    "folder": folder.candidates,
}


@dataclass
class Report:
    """What a build made and what it had to leave out."""

    counts: Counter = field(default_factory=Counter)  # class -> models written
    skipped: list[tuple[str, str]] = field(default_factory=list)  # (model, why)

    def __str__(self):
        lines = [f"{label:10s} {n:5d}" for label, n in sorted(self.counts.items())]
        lines.append(f"{'all':10s} {self.counts.total():5d}")
        if self.skipped:
            lines.append(f"skipped {len(self.skipped)}:")
            lines += [f"  {name}: {why}" for name, why in self.skipped]
            lines += [f"  {n} x {kind}" for kind, n in self.skipped_kinds().items() if n > 1]
        return "\n".join(lines)

    def skipped_kinds(self) -> Counter:
        """How many models of one kind were skipped: names that differ in their numbers only."""
        return Counter(re.sub(r"(_\d+)+$", "", name) for name, _ in self.skipped)


def build(source, out, overwrite=False):
    """Build the library folder `out` from `source` and return the Report.

    Args:
        source: builtin[:SEED[:COUNT]], sweethome3d[:PATH], infinigen:COUNT[:SEED], shapenet:FOLDER,
            3dfuture:FOLDER, or folder:FOLDER (a plain existing folder means the same).
    """
    name, _, argument = str(source).partition(":")
    if name == "builtin":
        return _write(_builtin(argument), out, overwrite)
    if name not in SOURCES:
        name, argument = "folder", str(source)
    found = unique_ids(SOURCES[name](argument))
    return _write(_imported(found), out, overwrite)


def _write(models, out, overwrite):
    """Write all (name, (CadModel, GLB) or the error that replaced it); returns the Report."""
    report = Report()
    with LibraryWriter(out, overwrite) as writer:
        for name, result in models:
            if isinstance(result, Exception):
                report.skipped.append((name, str(result)))
                continue
            writer.add(*result)
            report.counts[result[0].label] += 1
        if not writer.models:
            raise ValueError(f"no model could be used:\n{report}")
    return report


def _builtin(argument):
    try:
        seed, count = [int(word) for word in (argument or "0").split(":")] + (
            [COUNT] if ":" not in argument else []
        )
    except ValueError:
        raise ValueError(f"builtin:{argument}: expected builtin[:SEED[:COUNT]]") from None
    for model in tqdm(builtin_models(seed, count), total=count, desc="library", unit="model"):
        yield model[0].id, model


def _imported(found):
    for candidate in tqdm(found, desc="library", unit="model"):
        try:
            yield candidate.id, import_model(candidate)
        except (ValueError, OSError, RuntimeError) as error:  # one model must not end the build
            yield candidate.id, error


def unique_ids(found):
    """The candidates as a list, ids that occur again numbered from 2 on."""
    seen, result = Counter(), []
    for candidate in found:
        seen[candidate.id] += 1
        n = seen[candidate.id]
        result.append(candidate if n == 1 else replace(candidate, id=f"{candidate.id}_{n}"))
    return result


def import_model(candidate):
    """Read one Candidate and make (CadModel, GLB bytes) of it; ValueError where it is broken."""
    rng = np.random.default_rng(zlib.crc32(candidate.id.encode()))
    mesh, _ = centred(outward(check(candidate.read()), rng))
    light = simplify(mesh, rng)
    symmetry = candidate.symmetry or detect_symmetry(mesh.vertices, mesh.triangles, rng)
    return cad_model(candidate.id, candidate.label, mesh, symmetry, candidate.licence,
                     candidate.source, light)  # fmt: skip
