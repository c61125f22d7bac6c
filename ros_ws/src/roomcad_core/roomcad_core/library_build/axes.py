"""From a file's axes to the CAD frame's (x right, y up, front -z)."""

import numpy as np

AXES = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}


def axis(text):
    """(3,) unit vector of an axis written as x, +x or -x."""
    text = text.strip().lower()
    sign, name = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if name not in AXES:
        raise ValueError(f"axis: got {text!r}, expected one of x, y, z with + or -")
    return sign * np.array(AXES[name], dtype=float)


def turn_to_cad(up, front):
    """(3, 3) rotation into the CAD frame of a file with the axes `up` and `front`."""
    y, z = axis(up), -axis(front)
    if abs(y @ z) > 0:
        raise ValueError(f"up {up} and front {front} are the same axis")
    return np.stack([np.cross(y, z), y, z])
