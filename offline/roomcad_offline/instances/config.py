"""Settings of the instance network, of its samples and of its training."""

from dataclasses import dataclass, field

from roomcad_core.classes import CLASSES
from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.types import OTHER
from roomcad_offline.pointnet.fit import FitConfig

# Settings of networks whose files do not name them.
FIRST = {"kinds": ("background", *CLASSES, OTHER), "colour": False}


@dataclass(frozen=True)
class NetworkConfig:
    """One network; level k of its encoder is 2^k times smaller than its grid of cells."""

    width: int = 160  # of the grid of cells
    height: int = 120
    encoder: tuple[int, ...] = (16, 32, 64, 96, 128)  # channels of each level
    blocks: tuple[int, ...] = (0, 1, 2, 2, 2)  # residual blocks of each level
    decoder: tuple[int, ...] = (96, 64, 32, 24)  # channels, from the second smallest level up
    kinds: tuple[str, ...] = KINDS  # what a cell can show
    colour: bool = True  # whether an encoder of its own looks at the colour, see network.py

    def __post_init__(self):
        for name in ("encoder", "blocks", "decoder", "kinds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # a list, read from a file
        levels = len(self.encoder)
        good = min(self.width, self.height) >= 32 and levels >= 2 and min(self.encoder) > 0
        if not good or (len(self.blocks), len(self.decoder)) != (levels, levels - 1):
            raise ValueError(
                f"got {self}, expected a grid of 32 x 32 cells or more, and as many blocks as"
                " encoder levels, one decoder level less"
            )


@dataclass(frozen=True)
class SampleConfig:
    """Random changes of samples while training."""

    flip: float = 0.5  # share that is mirrored
    smallest_window: float = 0.6  # of the grid's sides, enlarged to the whole grid
    largest_window: float = 1.2  # more than the grid: empty around it
    size: float = 0.12  # largest change of all lengths, a share
    tilt: float = 0.03  # standard deviation of the error of the up direction [rad]
    floor_error: float = 0.02  # standard deviation of the error of the floor's height [m]
    floor_lost: float = 0.15  # share without a known floor
    holes: float = 0.5  # share with holes in the depth
    rough: float = 0.5  # share with places without a normal
    hole_area: float = 0.4  # largest share of the grid that they take
    finest: int = 48  # their pattern has up to so many cells along a side
    waves: float = 0.01  # standard deviation of smooth errors of the depth, a share of it
    bend: float = 0.06  # standard deviation of smooth errors of the normals
    colour_lost: float = 0.15  # share without colour
    grey: float = 0.1  # share with one brightness for all three
    swapped: float = 0.3  # share with red, green and blue in another order
    shifted: float = 1.5  # largest error of the colour image's place [cells]
    light: float = 0.25  # standard deviation of the logarithm of brightness, and of its exponent
    tint: float = 0.15  # standard deviation of the logarithm of each of red, green and blue
    shade: float = 0.1  # standard deviation of smooth errors of the brightness, a share of it
    grain: float = 0.02  # standard deviation of the noise of a cell, of full brightness


@dataclass(frozen=True)
class LossConfig:
    """Weights of the parts of the loss."""

    kinds: float = 1.0
    name: float = 0.5
    offset: float = 2.0
    overlap: float = 1.0
    seed: float = 1.0
    agree: float = 0.1


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; the defaults take about an hour of one free core."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    samples: SampleConfig = field(default_factory=SampleConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    colour_rate: float = 0.1  # share of the learning rate for the colour encoder; 0 = it stays
    epoch_frames: int = 0  # chosen anew for each epoch; 0 = all there are
    judged_frames: int = 160  # of the validation, evenly spread, after each epoch
    fit: FitConfig = FitConfig(
        epochs=16, batch=8, learning_rate=2e-3, weight_decay=1e-5, seed=0, save_every=1
    )
