"""Choosing among initialisations (Figure 4a), judged from a predictions file that kept them all.

A detection of per_frame_preds.json may carry `initialisations`, a list of {"score", "t", "q"
(wxyz), "s"}: the final pose and score that each initialisation led to, in the order they were
tried. The object a detection means is found by its box, so it is the same for all of them.
"""

import numpy as np

from roomcad_offline.evaluation.checks import place
from roomcad_offline.evaluation.image_accuracy import within_limits
from roomcad_offline.evaluation.roca_files import numbers
from roomcad_offline.evaluation.sigma_analysis import selection

FIELD = "initialisations"
WIDTHS = {"score": None, "t": 3, "q": 4, "s": 3}


def judged_selection(predictions, judged, rule):
    """sigma_analysis.selection of the detections that carry initialisations and mean an object.

    Args:
        predictions: of image_predictions.prepare; judged: image_accuracy.Judged of them by `rule`
            (ImageRule). Detections without an object, and ignored ones, cannot be chosen right
            or wrong and are left out; "left_out" counts them.

    Returns:
        dict, or None where no detection carries initialisations.
    """
    extra = predictions.extra or ()
    rows = np.array([row for row, values in enumerate(extra) if FIELD in values], int)
    if not len(rows):
        return None
    meant = rows[(judged.index[rows] >= 0) & ~judged.ignored[rows] & ~predictions.bad[rows]]
    if not len(meant):
        return {"n": 0, "left_out": len(rows)}
    tries = [_read(extra[row][FIELD], predictions, row) for row in meant]
    k = max(len(one["score"]) for one in tries)
    sigma, right = np.full((len(meant), k), np.nan), np.zeros((len(meant), k), bool)
    for i, (row, one) in enumerate(zip(meant, tries, strict=True)):
        n = len(one["score"])
        sigma[i, :n] = one["score"]
        pairs = np.full(n, judged.index[row])
        right[i, :n] = within_limits(one["t"], one["q"], one["s"], judged.truth, pairs, rule)
    return {**selection(sigma, right), "left_out": len(rows) - len(meant)}


def _read(entries, predictions, row):
    """{name: array} of one detection's list; ValueError naming the detection and the field."""
    at = f"{predictions.file}: {place(predictions, row)}: {FIELD}"
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{at}: expected a list of poses")
    columns = {
        name: np.array([numbers(entry, name, width, at) for entry in entries])
        for name, width in WIDTHS.items()
    }
    return {**columns, "q": np.roll(columns["q"], -1, axis=1)}
