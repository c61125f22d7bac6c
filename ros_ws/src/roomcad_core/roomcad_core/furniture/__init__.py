"""Parametric furniture of our own: eleven classes, several style families each, endless variety."""

from roomcad_core.furniture import (
    bathtubs,
    beds,
    bins,
    cabinets,
    chairs,
    desks,
    monitors,
    shelves,
    sofas,
    stools,
    swivel_chairs,
    tables,
    toilets,
)
from roomcad_core.furniture.parts import FurnitureModel

BUILDERS = {
    "bathtub": {
        "fitted": bathtubs.fitted,
        "freestanding": bathtubs.freestanding,
        "claw": bathtubs.claw_foot,
        "corner": bathtubs.corner,
    },
    "bed": {
        "single": beds.single,
        "double": beds.double,
        "divan": beds.divan,
        "bunk": beds.bunk,
        "day": beds.day_bed,
    },
    "bin": {
        "round": bins.round_bin,
        "square": bins.square_bin,
        "slim": bins.slim,
        "pedal": bins.pedal,
        "swing": bins.swing,
        "wheelie": bins.wheelie,
    },
    "bookshelf": {
        "backed": shelves.backed,
        "filled": shelves.filled,
        "open": shelves.open_rack,
        "low": shelves.low,
        "cubes": shelves.cubes,
        "ladder": shelves.ladder,
    },
    "cabinet": {
        "doors": cabinets.doors,
        "drawers": cabinets.drawers,
        "sideboard": cabinets.sideboard,
        "wardrobe": cabinets.wardrobe,
        "nightstand": cabinets.nightstand,
        "filing": cabinets.filing,
        "display": cabinets.glazed,
    },
    "chair": {
        "four_leg": chairs.four_leg,
        "arm": chairs.arm,
        "shell": chairs.shell,
        "swivel": swivel_chairs.swivel,
        "cantilever": chairs.cantilever,
        "lounge": chairs.lounge,
        "stool": stools.stool,
        "bar_stool": stools.bar_stool,
    },
    "desk": {
        "drawers": desks.drawers,
        "panel": desks.panel,
        "frame": desks.frame,
        "corner": desks.corner,
        "hutch": desks.hutch,
    },
    "monitor": {
        "desk": monitors.desk,
        "tv": monitors.tv,
        "wall_tv": monitors.wall_tv,
        "all_in_one": monitors.all_in_one,
        "crt": monitors.crt,
    },
    "sofa": {
        "two_seat": sofas.two_seat,
        "three_seat": sofas.three_seat,
        "corner": sofas.corner,
        "rolled": sofas.rolled,
        "armless": sofas.armless,
    },
    "table": {
        "dining": tables.dining,
        "square": tables.square,
        "side": tables.side,
        "coffee": tables.coffee,
        "pedestal": tables.pedestal,
        "round": tables.round_four_leg,
        "trestle": tables.trestle,
        "oval": tables.oval_top,
        "cafe": tables.cafe,
        "plinth": tables.plinth,
        "panel_end": tables.panel_end,
    },
    "toilet": {
        "cistern": toilets.cistern,
        "wall_hung": toilets.wall_hung,
        "skirted": toilets.high_tank,
        "piped": toilets.floor_box,
    },
}
STYLES = {label: tuple(builders) for label, builders in BUILDERS.items()}


def generate(label, rng, style=None):
    """Make one piece of furniture.

    Args:
        label: one of classes.CLASSES.
        rng: numpy Generator; every size, detail and colour is drawn from it.
        style: one of STYLES[label], or None for any of them.

    Returns:
        FurnitureModel with a closed metric mesh of at most about 2,000 faces, in the CAD frame.
    """
    if label not in BUILDERS:
        raise ValueError(f"label: got {label!r}, expected one of {', '.join(BUILDERS)}")
    if style is None:
        style = STYLES[label][rng.integers(len(STYLES[label]))]
    if style not in BUILDERS[label]:
        raise ValueError(f"style of {label}: got {style!r}, expected one of {STYLES[label]}")
    parts = BUILDERS[label][style](rng)
    return FurnitureModel(label, style, parts.mesh(), parts.symmetry)
