"""Files of the evaluation's formats: saving them by hand, and comparing what was read of two."""

import dataclasses
import json

import numpy as np


def saved(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def equal(a, b, but=("file", "where", "problems", "scenes")):
    """Whether two records agree in all columns but those that speak of the file."""
    for f in dataclasses.fields(a):
        if f.name not in but:
            np.testing.assert_equal(getattr(a, f.name), getattr(b, f.name), err_msg=f.name)
    return True
