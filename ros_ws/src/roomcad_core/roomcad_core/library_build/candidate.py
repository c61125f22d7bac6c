"""What an importer hands to the builder: one model that can be read, and what is known of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from roomcad_core.library_build.model import Mesh


@dataclass(frozen=True)
class Candidate:
    """A model of a collection, not read yet."""

    id: str
    label: str
    licence: str
    source: str  # where it came from, for people
    read: Callable[[], Mesh]  # metric mesh in the CAD frame; ValueError or OSError if broken
    symmetry: str = ""  # "" = to be detected


def slug(text):
    """Text as part of a CAD id: a-z, digits and single underscores."""
    return re.sub(r"[^a-z0-9]+", "_", str(text).lower()).strip("_") or "model"
