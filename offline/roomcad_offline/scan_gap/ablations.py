"""The post's three controlled curves: one perturbation at a time on the clean ModelNet40 test."""

import numpy as np

from roomcad_offline.scan_gap import perturb

# curve -> magnitudes: sigma, share of points dropped, number of 1,024 points replaced
CURVES = {
    "noise": (0.0, 0.01, 0.02, 0.04, 0.08),
    "occlusion": (0.1, 0.25, 0.5, 0.75, 0.9),
    "background": (0, 100, 250, 500, 750),
}
FUNCTIONS = {
    "noise": perturb.add_noise,
    "occlusion": perturb.occlude,
    "background": perturb.attach_background,
}
AXES = {
    "noise": "σ of the noise (radius of the object = 1)",
    "occlusion": "share of the points dropped",
    "background": "background points of 1,024",
}
WIGGLE = 0.02  # a rise this small is sampling, not a trend


def variant_of(curve, value):
    """Name of one point of a curve among a network's predictions."""
    return f"ablation/{curve}/{value:g}"


def perturbed(points, curve, value, seed=42):
    """Clouds (N, P, 3) with one perturbation; the same draws at every magnitude of a curve."""
    rng = np.random.default_rng([seed, list(CURVES).index(curve)])
    if not value:
        return points
    if curve == "background" and value > points.shape[1]:
        raise ValueError(f"background: {value} points of {points.shape[1]} cannot be replaced")
    return FUNCTIONS[curve](points, value, rng)


def shape_of(values, accuracies):
    """What a curve looks like.

    Returns:
        {monotone: falls everywhere (but for WIGGLE), drop: first minus last, cliff: (from, to)
        of the largest fall, steepest: (from, to) of the largest fall per unit, first: share of
        the drop that the first step takes}.
    """
    values, accuracies = np.asarray(values, float), np.asarray(accuracies, float)
    falls = -np.diff(accuracies)
    slopes = falls / np.diff(values)
    drop = float(accuracies[0] - accuracies[-1])
    cliff, steepest = int(falls.argmax()), int(slopes.argmax())
    return {
        "monotone": bool((falls >= -WIGGLE).all()),
        "drop": round(drop, 4),
        "cliff": (float(values[cliff]), float(values[cliff + 1])),
        "steepest": (float(values[steepest]), float(values[steepest + 1])),
        "first": round(float(falls[0] / drop), 3) if drop > WIGGLE else 0.0,
    }


def claims(curve, values, accuracies):
    """What the post says about a curve, whether ours agrees, and our numbers.

    Returns:
        List of (claim, holds, text).
    """
    shape = shape_of(values, accuracies)
    drop = f"ours loses {100 * shape['drop']:.0f} points"
    fall = "ours falls at every step" if shape["monotone"] else "ours rises somewhere"
    steep = "steepest between {:g} and {:g}".format(*shape["steepest"])
    cliff = "largest step between {:g} and {:g}".format(*shape["cliff"])
    first = f"the first step takes {100 * shape['first']:.0f} % of our drop"
    after = float(accuracies[1] - accuracies[-1])
    return {
        "noise": [
            ("accuracy falls with sigma", shape["monotone"], fall),
            ("gentle: at most 15 points over the full range", shape["drop"] <= 0.15, drop),
        ],
        "occlusion": [
            ("accuracy falls with the share dropped", shape["monotone"], fall),
            ("the cliff lies past 50 %", shape["steepest"][0] >= 0.5, steep),
            ("severe in the end: at least 50 points", shape["drop"] >= 0.5, drop),
        ],
        "background": [
            ("violent: at least 60 points", shape["drop"] >= 0.6, drop),
            ("the first 100 points do most of it", shape["first"] >= 0.75, f"{first}; {cliff}"),
            (
                "saturates after the first 100 points",
                after <= 0.10,
                f"ours loses another {100 * after:.0f} points after them",
            ),
        ],
    }[curve]
