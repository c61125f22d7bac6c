"""Which of infinigen's factories make our classes, and which models a build asks them for."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from roomcad_core.classes import CLASSES

Range = tuple[float, float]
TRIES = 8  # draws until a model has a usual size


@dataclass(frozen=True)
class Factory:
    """A factory of infinigen and how its models stand; all of them have z up."""

    path: str  # module:Class under infinigen.assets.objects
    front: str = "x"
    flat: bool = False  # made of boards: faces of one plane are joined, which takes long elsewhere
    # Attributes fixed, or drawn anew in a range; "params.NAME" = one of the factory's parameters.
    changes: dict[str, int | Range] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.split(":")[1].removesuffix("Factory")


# Infinigen has no bins: deep flower pots and tall baskets have their shapes.
POT = {"depth": (1.6, 2.8), "scale": (0.09, 0.15)}
BASKET = {
    "params.depth": (0.2, 0.36), "params.width": (0.2, 0.36), "params.height": (0.24, 0.42),
    "params.frame_sub_level": 0, "params.has_holes": False,
}  # fmt: skip
FACTORIES = {
    "bathtub": (Factory("bathroom.bathtub:BathtubFactory"),),
    "bed": (Factory("seating.bedframe:BedFrameFactory"),),
    "bin": (
        Factory("tableware.plant_container:PlantPotFactory", changes=POT),
        Factory("organizer.basket:BasketBaseFactory", changes=BASKET),
    ),
    "bookshelf": (
        Factory("shelves.large_shelf:LargeShelfFactory", flat=True),
        Factory("shelves.cell_shelf:CellShelfFactory", flat=True),
        Factory("shelves.simple_bookcase:SimpleBookcaseFactory", flat=True),
    ),
    "cabinet": (
        Factory("shelves.single_cabinet:SingleCabinetFactory", flat=True),
        Factory("shelves.cabinet:CabinetFactory", flat=True),
        Factory("shelves.kitchen_cabinet:KitchenCabinetFactory", flat=True),
        Factory("shelves.cell_shelf:TVStandFactory", flat=True),
    ),
    "chair": (
        Factory("seating.chairs.chair:ChairFactory"),
        Factory("seating.chairs.office_chair:OfficeChairFactory"),
        Factory("seating.sofa:ArmChairFactory", flat=True),
        Factory("seating.chairs.bar_chair:BarChairFactory"),
    ),
    "desk": (Factory("shelves.simple_desk:SimpleDeskFactory", flat=True),),
    "monitor": (
        Factory("appliances.tv:MonitorFactory", flat=True),
        Factory("appliances.tv:TVFactory", flat=True),
    ),
    "sofa": (Factory("seating.sofa:SofaFactory", flat=True),),
    "table": (
        Factory("tables.dining_table:TableDiningFactory", front="y", flat=True),
        Factory("tables.dining_table:CoffeeTableFactory", front="y", flat=True),
        Factory("tables.dining_table:SideTableFactory", front="y", flat=True),
        Factory("tables.cocktail_table:TableCocktailFactory"),
        Factory("shelves.simple_desk:SidetableDeskFactory", flat=True),
    ),
    "toilet": (Factory("bathroom.toilet:ToiletFactory"),),
}
# Smallest and largest usual width, height and depth [m]; what lies outside is drawn again.
SIZES = {
    "bathtub": ((1.2, 0.4, 0.6), (2.2, 1.0, 1.2)),
    "bed": ((0.8, 0.4, 1.8), (2.3, 2.0, 2.6)),
    "bin": ((0.15, 0.18, 0.15), (0.6, 0.9, 0.6)),
    "bookshelf": ((0.25, 0.4, 0.15), (2.5, 2.4, 0.7)),
    "cabinet": ((0.25, 0.3, 0.2), (2.4, 2.4, 0.8)),
    "chair": ((0.3, 0.5, 0.3), (1.3, 1.5, 1.6)),
    "desk": ((0.6, 0.55, 0.4), (2.2, 0.9, 1.0)),
    "monitor": ((0.3, 0.25, 0.05), (1.8, 1.25, 0.4)),
    "sofa": ((1.3, 0.5, 0.7), (3.2, 1.2, 2.0)),
    "table": ((0.35, 0.3, 0.35), (3.0, 1.4, 1.5)),
    "toilet": ((0.3, 0.55, 0.5), (0.7, 1.15, 0.95)),
}


@dataclass(frozen=True)
class Job:
    """One model to be made; it depends on its own words only, not on the other jobs."""

    label: str
    factory: Factory
    number: int  # among the models of its factory
    seed: int  # of the whole build

    @property
    def id(self) -> str:
        return f"{self.label}_infinigen_{self.factory.name.lower()}_{self.seed}_{self.number:03d}"

    def draws(self) -> Iterator[tuple[int, dict[str, int | float]]]:
        """Infinigen's seed, and the attributes to set, of one try after the other."""
        for attempt in range(TRIES):
            seed = zlib.crc32(f"{self.id}/{attempt}".encode()) % 10**9
            rng = np.random.default_rng(seed)
            yield seed, {k: _drawn(v, rng) for k, v in self.factory.changes.items()}


def plan(count: int, seed: int) -> list[Job]:
    """`count` jobs spread evenly over the classes, and over the factories of each class."""
    return sorted(itertools.islice(_in_turn(seed), count), key=lambda job: job.id)


def usual_size(label: str, size: np.ndarray) -> bool:
    """Whether a (3,) size [m] is one that things of this class have."""
    low, high = SIZES[label]
    return bool((size >= low).all() and (size <= high).all())


def _drawn(change: int | Range, rng: np.random.Generator) -> int | float:
    return change if isinstance(change, int) else float(rng.uniform(*change))


def _in_turn(seed: int) -> Iterator[Job]:
    for turn in itertools.count():
        for label in CLASSES:
            number, which = divmod(turn, len(FACTORIES[label]))
            yield Job(label, FACTORIES[label][which], number, seed)
