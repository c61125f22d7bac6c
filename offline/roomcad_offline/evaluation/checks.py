"""Bad prediction rows: found here, named with their place in the file, counted as wrong."""

from dataclasses import replace

import numpy as np

from roomcad_offline.evaluation.records import Problem

UNIT_TOLERANCE = 1e-3  # of a quaternion's length: files round to three digits and more


def checked(predictions):
    """The predictions with `bad` and `problems` filled in; already checked ones unchanged.

    A bad row stays in the list, so it takes its place in the count constraint, but it can never
    be right: no finite pose or score, a quaternion that is not of unit length, a scale that is
    not positive, or a repetition of an earlier row.
    """
    if predictions.bad is not None:
        return predictions
    p = predictions
    length = np.linalg.norm(p.q, axis=1)
    finite = np.isfinite(np.hstack([p.t, p.q, p.s])).all(axis=1)
    with np.errstate(invalid="ignore"):
        tests = {
            "nan pose": (~finite, "t", "q", "s"),
            "quaternion": (finite & (np.abs(length - 1) > UNIT_TOLERANCE), "q"),
            "scale": (finite & (p.s <= 0).any(axis=1), "s"),
            "score": (~np.isfinite(p.score), "score"),
        }
    found = [
        row_problem(p, row, f"{TEXT[kind]}: {_values(p, row, columns)}", "wrong", kind)
        for kind, (rows, *columns) in tests.items()
        for row in np.flatnonzero(rows)
    ]
    repeats, first = repeated_rows(p)
    found += [
        row_problem(p, row, f"duplicate row, the same as {place(p, at)}", "wrong", "duplicate row")
        for row, at in zip(repeats, first, strict=True)
    ]
    bad = np.zeros(len(p), bool)
    for rows, *_ in tests.values():
        bad |= rows
    bad[repeats] = True
    return replace(p, bad=bad, problems=(*p.problems, *found))


TEXT = {
    "nan pose": "pose holds NaN or infinity",
    "quaternion": "quaternion is not of unit length",
    "scale": "scale is not positive",
    "score": "score is not a finite number",
}


def repeated_rows(p):
    """Rows (M,) that say the same as an earlier row, and (M,) that earlier row."""
    columns = [p.scene, p.frame, p.category, p.cad_id]
    if p.detection is not None:
        columns.append(p.detection)
    numbers = [p.t, p.q, p.s, p.score[:, None]] + ([] if p.bbox is None else [p.bbox])
    numbers = np.ascontiguousarray(np.hstack(numbers))
    first, repeats, of = {}, [], []
    for row, text in enumerate(zip(*columns, strict=True)):
        key = (*text, numbers[row].tobytes())
        if first.setdefault(key, row) != row:
            repeats.append(row)
            of.append(first[key])
    return np.array(repeats, int), np.array(of, int)


def place(predictions, row):
    """Where a row stood: "line 12", else "row 12" counted from 0."""
    return f"row {row}" if predictions.where is None else str(predictions.where[row])


def row_problem(predictions, row, what, verdict, kind):
    """A Problem of one prediction row."""
    return Problem(predictions.file or "predictions", place(predictions, row), what, verdict, kind)


def _values(p, row, columns):
    """The named values of a row; quaternions in the order of the files."""
    shown = {"t": p.t[row], "q": np.roll(p.q[row], 1), "s": p.s[row], "score": p.score[row]}
    names = {"t": "t", "q": "q (wxyz)", "s": "s", "score": "score"}
    return ", ".join(f"{names[c]} = {np.round(shown[c], 6).tolist()}" for c in columns)
