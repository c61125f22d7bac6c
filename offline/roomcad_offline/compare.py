"""Found furniture against ground truth: which object is which, and how far off."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from roomcad_core.pose import pose_errors
from roomcad_core.scene import box_iou
from roomcad_core.types import Placed

# A pose counts as right within 20 cm, 20 degrees and 20 % (Scan2CAD; the paper, section 4).
LIMITS = (0.20, np.radians(20), 0.20)
NEAR = 0.5  # found and true object of different classes are the same thing if this near [m]


@dataclass(frozen=True)
class Match:
    """One line of the result table; `truth` or `found` is None where there is no partner."""

    truth: Placed | None
    found: Placed | None
    errors: tuple[float, float, float] | None = None  # [m], [rad], relative

    @property
    def same_class(self):
        return bool(self.truth and self.found and self.truth.label == self.found.label)

    @property
    def right(self):
        """Class right and pose within 20 cm, 20 degrees, 20 %."""
        return self.same_class and all(
            e <= limit for e, limit in zip(self.errors, LIMITS, strict=True)
        )


def match(found, truth):
    """Pair found with true objects by distance (minimum total); unpaired ones are listed too.

    Different classes pair only where the things overlap or stand within NEAR, so that the
    table can say what an object was taken for.
    """
    cost = np.full((len(truth), len(found)), 1e6)
    for i, t in enumerate(truth):
        for j, f in enumerate(found):
            distance = np.linalg.norm(t.T_world_obj[:3, 3] - f.T_world_obj[:3, 3])
            overlap = box_iou(t.T_world_obj, t.S, f.T_world_obj, f.S)
            if distance < NEAR or overlap > 0.1:
                cost[i, j] = distance + (0.0 if t.label == f.label else NEAR)
    rows, columns = linear_sum_assignment(cost)
    pairs = {i: j for i, j in zip(rows, columns, strict=True) if cost[i, j] < 1e6}
    matches = [_pair(t, found[pairs[i]] if i in pairs else None) for i, t in enumerate(truth)]
    return matches + [Match(None, f) for j, f in enumerate(found) if j not in pairs.values()]


def _pair(truth, found):
    if found is None:
        return Match(truth, None)
    errors = pose_errors(found.T_world_obj, found.S, truth.T_world_obj, truth.S, truth.symmetry)
    return Match(truth, found, errors)


def room_table(found, seen):
    """Found objects as a Markdown table, for a room whose truth nobody knows.

    Args:
        found: tuple of Placed. seen: {id: number of frames that showed it}.
    """
    lines = [
        "| object | class | CAD | position [m] | size [m] | probability | frames |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for p in found:
        at, size = (f"{x:.2f}, {y:.2f}, {z:.2f}" for x, y, z in (p.T_world_obj[:3, 3], p.S))
        cells = (p.id, p.label, p.cad_id, at, size, f"{p.score:.2f}", seen.get(p.id, 0))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    about = "position: middle of the box; size: width, height, depth; frames: that showed it"
    lines += ["", f"{len(found)} objects found ({about})."]
    return "\n".join(lines) + "\n"


def markdown_table(matches):
    """The matches as a Markdown table with one line an object and a summary line."""
    lines = [
        "| object | true class | found | CAD | score | off [m] | turn [deg] | size [%] | right |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_row(m) for m in matches]
    true = [m for m in matches if m.truth]
    found = [m for m in matches if m.found]
    if true:
        lines += [
            "",
            f"{sum(m.found is not None for m in true)} of {len(true)} objects found, "
            f"{sum(m.same_class for m in true)} with the right class, "
            f"{sum(m.right for m in true)} within 20 cm / 20 deg / 20 %; "
            f"{len(found) - sum(m.truth is not None for m in found)} without a true partner.",
        ]
    return "\n".join(lines) + "\n"


def _row(m):
    cells = [
        str(m.truth.id) if m.truth else "-",
        m.truth.label if m.truth else "-",
        m.found.label if m.found else "not found",
        m.found.cad_id if m.found else "",
        f"{m.found.score:.2f}" if m.found else "",
    ]
    if m.errors:
        position, turn, size = m.errors
        cells += [f"{position:.2f}", f"{np.degrees(turn):.0f}", f"{100 * size:.0f}"]
    else:
        cells += ["", "", ""]
    return "| " + " | ".join([*cells, "yes" if m.right else ""]) + " |"
