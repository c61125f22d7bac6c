"""Scan2CAD's categories: synsets, our names, the names other files use, and class sets."""

from roomcad_core.classes import SYNSETS

NAMES = {
    "02808440": "bathtub",
    "02818832": "bed",
    "02747177": "bin",
    "02871439": "bookshelf",
    "02933112": "cabinet",
    "03001627": "chair",
    "03211117": "display",
    "04256520": "sofa",
    "04379243": "table",
}
OTHER = "other"
NINE = tuple(NAMES.values())
EIGHT = tuple(name for name in NINE if name != "bed")  # ROCA's "benchmark", Scan2CAD's "top 8"

# What the nine are called elsewhere; ROCA's own files have the first name of each.
ROCA_NAMES = {**NAMES, "02871439": "bookcase"}
SYNONYMS = {"trashbin": "bin", "bookcase": "bookshelf", "monitor": "display"}
_BY_NAME = {**SYNSETS, **{name: synset for synset, name in NAMES.items()}}
_BY_NAME.update({other: _BY_NAME[name] for other, name in SYNONYMS.items()})


def synset(value):
    """8-digit synset of a category given as synset, integer without leading zero, or name.

    Raises ValueError where `value` is none of these.
    """
    text = str(value).strip()
    if text.isdecimal() and len(text) <= 8:
        return text.zfill(8)
    if text.lower() in _BY_NAME:
        return _BY_NAME[text.lower()]
    raise ValueError(f"got {value!r}, expected a synset or one of {', '.join(sorted(_BY_NAME))}")


def class_name(category, evaluated=NINE):
    """Our name of a synset; "other" where it is not among the `evaluated` names."""
    name = NAMES.get(category, OTHER)
    return name if name in evaluated else OTHER
