"""What the data that a network was trained on allows, for its card and the manifest."""

from __future__ import annotations

from collections.abc import Iterable

MODELS = "infinigen (BSD-3), Sweet Home 3D (CC0, CC-BY 3.0, GPL-2+)"
SIMULATED_ONLY = f"Apache-2.0 for our work; CAD models of the training rooms: ours, {MODELS}"
WITH_SCANNET = (
    "trained on ScanNet, whose terms of use apply: research, not commercial; Apache-2.0 for our"
    f" work; CAD models of the simulated training rooms: ours, {MODELS}"
)


def licence_of(kinds: Iterable[str]) -> str:
    """The licence of weights that were trained on these kinds of rooms (of sources.KINDS)."""
    return SIMULATED_ONLY if set(kinds) == {"simulated"} else WITH_SCANNET
