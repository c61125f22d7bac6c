"""Where real recordings lie that the repository may not hold."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """$ROOMCAD_DATA, else ../shared/data beside the repository; it need not exist."""
    beside = Path(__file__).resolve().parents[3].parent / "shared" / "data"
    return Path(os.environ.get("ROOMCAD_DATA") or beside)
