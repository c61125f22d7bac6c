"""The eleven furniture classes, their symmetry names and the colours they are drawn in."""

CLASSES = (
    "bathtub",
    "bed",
    "bin",
    "bookshelf",
    "cabinet",
    "chair",
    "desk",
    "monitor",
    "sofa",
    "table",
    "toilet",
)

# RGB in 0-255, well apart from each other on screen; `other` is grey.
COLORS = {
    "bathtub": (0, 188, 212),
    "bed": (156, 39, 176),
    "bin": (121, 85, 72),
    "bookshelf": (255, 152, 0),
    "cabinet": (255, 235, 59),
    "chair": (244, 67, 54),
    "desk": (63, 81, 181),
    "monitor": (0, 150, 136),
    "sofa": (76, 175, 80),
    "table": (33, 150, 243),
    "toilet": (233, 30, 99),
    "other": (158, 158, 158),
}

# WordNet synsets (the category ids of ShapeNet and Scan2CAD); ShapeNet has no desks and toilets
# of its own, their WordNet numbers serve.
SYNSETS = {
    "bathtub": "02808440",
    "bed": "02818832",
    "bin": "02747177",
    "bookshelf": "02871439",
    "cabinet": "02933112",
    "chair": "03001627",
    "desk": "03179701",
    "monitor": "03211117",
    "sofa": "04256520",
    "table": "04379243",
    "toilet": "04446276",
}
