"""Parametric furniture of our own: eleven classes, several style families each, endless variety."""

from roomcad_core.furniture import bathroom, beds, chairs, desks, small, sofas, storage, tables
from roomcad_core.furniture.parts import FurnitureModel

BUILDERS = {
    "bathtub": {
        "fitted": bathroom.fitted,
        "freestanding": bathroom.freestanding,
        "claw": bathroom.claw_foot,
        "corner": bathroom.corner,
    },
    "bed": {
        "single": beds.single,
        "double": beds.double,
        "divan": beds.divan,
        "bunk": beds.bunk,
        "day": beds.day_bed,
    },
    "bin": {
        "round": small.round_bin,
        "square": small.square_bin,
        "slim": small.slim,
        "pedal": small.pedal,
        "swing": small.swing,
        "wheelie": small.wheelie,
    },
    "bookshelf": {
        "backed": storage.backed,
        "filled": storage.filled,
        "open": storage.open_rack,
        "low": storage.low,
        "cubes": storage.cubes,
        "ladder": storage.ladder,
    },
    "cabinet": {
        "doors": storage.doors,
        "drawers": storage.drawers,
        "sideboard": storage.sideboard,
        "wardrobe": storage.wardrobe,
        "nightstand": storage.nightstand,
        "filing": storage.filing,
        "display": storage.glazed,
    },
    "chair": {
        "four_leg": chairs.four_leg,
        "arm": chairs.arm,
        "shell": chairs.shell,
        "swivel": chairs.swivel,
        "cantilever": chairs.cantilever,
        "lounge": chairs.lounge,
        "stool": chairs.stool,
        "bar_stool": chairs.bar_stool,
    },
    "desk": {
        "drawers": desks.drawers,
        "panel": desks.panel,
        "frame": desks.frame,
        "corner": desks.corner,
        "hutch": desks.hutch,
    },
    "monitor": {
        "desk": small.desk,
        "tv": small.tv,
        "wall_tv": small.wall_tv,
        "all_in_one": small.all_in_one,
        "crt": small.crt,
    },
    "sofa": {
        "two_seat": sofas.two_seat,
        "three_seat": sofas.three_seat,
        "corner": sofas.corner,
        "rolled": sofas.rolled,
        "armless": sofas.ottoman_sofa,
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
        "cistern": bathroom.cistern,
        "wall_hung": bathroom.wall_hung,
        "skirted": bathroom.high_tank,
        "piped": bathroom.floor_box,
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
