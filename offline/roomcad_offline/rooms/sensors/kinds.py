"""Three kinds of depth camera, each drawn with a spread around fitted values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from roomcad_offline.rooms.sensors.color import ColorCamera, draw_color

KINDS = ("structured_light", "active_stereo", "tof")


@dataclass(frozen=True)
class Sensor:
    """A camera; the defaults are flawless.

    What comes of its build (parallax, margin) is given for an image 640 px wide and scaled to
    others; what comes of windows and filters counts pixels of whatever image there is.
    """

    kind: str
    noise: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of 1, z and z^2 [m], see axial_sigma
    blur: float = 1.5  # pixels over which that noise is alike [px]
    step: float = 0.0  # quantisation of the inverse depth [1/m]
    dim: float = 0.0  # how much more noise a weak signal has: power of reach lost
    wobble: float = 0.0  # standard deviation of the place of depth steps [px]
    rounding: int = 0  # side of the median that rounds them: 0, 3 or 5 [px]
    flying: float = 0.0  # share of pixels at steps that mix two depths
    edge_loss: float = 0.0  # share of pixels at steps that are missing ...
    edge_reach: int = 1  # ... so many pixels to either side
    parallax: float = 0.0  # focal length times baseline [px m]; < 0: shadows on the right
    border: float = 0.0  # the left border misses parallax * (1/z - border) columns [1/m]
    margin: int = 0  # rows without depth at the top [px]
    reach: float = 1e3  # distance at which half of a white wall is missing [m]
    fade: float = 0.3  # spread of the logarithm of that distance
    slant: float = 0.0  # power of the cosine of incidence in it
    dark: float = 0.0  # power of the reflectance in it
    grazing: float = 0.0  # cosine of incidence below which pixels vanish
    speckle: float = 0.0  # share of lone missing pixels
    pattern: float = 0.0  # share of the noise that is the same in every frame
    fixed: float = 0.0  # share of what makes gaps that belongs to the surface
    view: float = 9.0  # radius of the depth camera's field of view, in half diagonals
    grid: tuple[float, float] = (1.0, 1.0)  # pixels between samples of the depth camera's own grid
    near: float = 0.35  # range [m]
    far: float = 5.5
    seed: int = 0  # of what is fixed
    color: ColorCamera = dataclasses.field(default_factory=ColorCamera)


def draw_sensor(kind: str, rng: np.random.Generator) -> Sensor:
    """A Sensor of a kind (or `any`) with its own quality."""
    if kind == "any":
        kind = str(rng.choice(KINDS))
    draw = {"structured_light": structured_light, "active_stereo": active_stereo, "tof": tof}
    if kind not in draw:
        raise ValueError(f"sensor: got {kind!r}, expected any, {', '.join(KINDS)}")
    return draw[kind](rng)


def _about(rng, value, spread=0.2):
    """A factor of exp(+-spread) around a value."""
    return float(value * np.exp(rng.normal(0, spread)))


def structured_light(rng: np.random.Generator) -> Sensor:
    """Structure and PrimeSense, fitted to two recordings of ScanNet.

    Disparities come in eighths of a pixel (Konolige and Mihelich, 2010): steps of 3.3 mm at 1 m.
    """
    parallax = _about(rng, 38.0, 0.03)
    return Sensor(
        "structured_light",
        noise=(_about(rng, 0.0003), _about(rng, 0.0007), _about(rng, 0.0012)),
        blur=_about(rng, 1.9, 0.1),
        step=0.125 / parallax,
        wobble=_about(rng, 1.2),
        rounding=5,
        edge_loss=float(rng.uniform(0.0, 0.04)),
        parallax=parallax,
        border=float(rng.uniform(0.45, 0.75)),
        margin=int(rng.integers(0, 6)),
        reach=_about(rng, 6.6, 0.1),
        fade=0.2,
        slant=0.4,
        dark=0.05,
        grazing=0.05,
        speckle=0.0002,
        pattern=0.2,
        fixed=0.85,
        far=float(rng.uniform(5.0, 8.0)),
        seed=int(rng.integers(2**31)),
        color=draw_color(rng),
    )


def active_stereo(rng: np.random.Generator) -> Sensor:
    """RealSense D4xx; no recording was at hand, so from published figures.

    Noise z^2 * subpixel / (focal * baseline) with a subpixel error of about 0.08 px:
    Grunnet-Jepsen, Sweetser and Woodfill, "Tuning depth cameras for best performance" (D435:
    50 mm, 90 degrees on 1280 px, hence 32 px m; disparities come in 1/32 px). The left imager is
    the reference, so focal * baseline / z columns at the left have no depth: D400 data sheet,
    "invalid depth band". Matching by windows bends surfaces and smears steps: Keselman et al.,
    "Intel RealSense stereoscopic depth cameras", 2017.
    """
    parallax = _about(rng, 32.0, 0.3)  # D415 and D455 have more
    return Sensor(
        "active_stereo",
        noise=(0.0005, 0.0, float(rng.uniform(0.05, 0.1)) / parallax),
        blur=_about(rng, 3.5),
        step=1 / 32 / parallax,
        wobble=_about(rng, 2.0),
        rounding=5,
        flying=float(rng.uniform(0.15, 0.4)),
        edge_loss=float(rng.uniform(0.1, 0.4)),
        edge_reach=2,
        parallax=parallax * 0.5,  # on the colour image's grid, of a narrower view
        reach=_about(rng, 6.5, 0.15),
        fade=0.3,
        slant=0.45,
        dark=0.12,
        grazing=0.12,
        speckle=0.002,
        pattern=0.05,
        fixed=0.6,
        near=0.28,
        far=float(rng.uniform(6.0, 10.0)),
        seed=int(rng.integers(2**31)),
        color=draw_color(rng),
    )


def tof(rng: np.random.Generator) -> Sensor:
    """Azure Kinect and HoloLens, fitted to a recording of a HoloLens, on the colour's grid."""
    side = float(rng.choice([-1, 1]))
    return Sensor(
        "tof",
        noise=(_about(rng, 0.0008), _about(rng, 0.0010), 0.0),
        blur=_about(rng, 0.7),
        dim=0.5,
        wobble=_about(rng, 0.7),
        flying=float(rng.uniform(0.4, 0.9)),
        edge_loss=float(rng.uniform(0.3, 0.9)),
        edge_reach=int(rng.integers(1, 4)),
        parallax=side * float(rng.uniform(5, 25)),
        reach=_about(rng, 7.0, 0.1),
        fade=0.25,
        slant=0.35,
        dark=0.33,
        grazing=0.08,
        speckle=0.002,
        pattern=0.2,
        fixed=0.8,
        view=float(rng.uniform(0.8, 1.15)),
        grid=(float(max(rng.uniform(0.98, 1.07), 1)), float(max(rng.uniform(0.98, 1.12), 1))),
        near=float(rng.uniform(0.25, 0.7)),
        far=float(rng.uniform(5.5, 7.5)),
        seed=int(rng.integers(2**31)),
        color=draw_color(rng),
    )
