"""The sensors of simulated rooms and rendered scans, in one place; see rooms/sensors/."""

from roomcad_offline.rooms.sensors.color import ColorCamera, develop
from roomcad_offline.rooms.sensors.depth import axial_sigma, measure
from roomcad_offline.rooms.sensors.kinds import KINDS, Sensor, draw_sensor
from roomcad_offline.rooms.sensors.steps import unlit

__all__ = [
    "KINDS",
    "ColorCamera",
    "Sensor",
    "axial_sigma",
    "develop",
    "draw_sensor",
    "measure",
    "unlit",
]
