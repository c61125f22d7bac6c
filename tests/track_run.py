"""A tracker that runs over the world of tests/core/conftest.py; `run` is a fixture to take over."""

import pytest

from roomcad_core.config import TrackConfig
from roomcad_core.tracks import Tracker

CONFIG = TrackConfig(
    confirm=1,
    look_again=0,
    rest=0,
    sigma_high=0.5,
    sigma_low=0.3,
    drop=0.15,
    retry=3,
    patience=3,
    ghost_frames=4,
)


class Run:
    """A tracker and an aligner over a world, ten frames a second."""

    def __init__(self, world, aligner, config=CONFIG, **options):
        self.world, self.align = world, aligner(world, **options)
        self.tracker, self.stamp = Tracker(config, world.library), 10.0

    def __call__(self, frames=1, **view):
        """The Update of the last of some frames."""
        for _ in range(frames):
            self.stamp += 0.1
            update = self.tracker(*self.world.frame(self.stamp, **view), self.align)
        return update

    @property
    def starts(self):
        """{object id: Start} of the last frame."""
        return self.align.asked[-1]


@pytest.fixture
def run(track_world, true_aligner):
    return Run(track_world, true_aligner)


def only(update):
    (track,) = update.tracks
    return track
