"""Figures 6 and 9: the three controlled curves, and the waterfall of the finding."""

from roomcad_offline.scan_gap import ablations, decompose, published, rows
from roomcad_offline.scan_gap.draw_style import (
    AMBER,
    BLUE,
    CORAL,
    DARK,
    GRAY,
    GREEN,
    LIGHT,
    PURPLE,
    errors,
    new_figure,
    plain,
)
from roomcad_offline.scan_gap.evaluate import ALIGNED, AS_PUBLISHED, bootstrap
from roomcad_offline.scan_gap.finding import class_counts


def ablation_curves(study, clouds):
    """Figure 6: noise, occlusion and background on ModelNet40 test, ours and the post's points."""
    table = [r for r in rows.ablation(study) if r["top1"] != ""]
    if not table:
        return "the controlled curves were not evaluated"
    figure, axes = new_figure(11, 3.2, 1, 3, sharey=True)
    for ax, curve in zip(axes[0], ablations.CURVES, strict=True):
        points = [r for r in table if r["curve"] == curve]
        x, y = [r["value"] for r in points], [r["top1"] for r in points]
        ax.fill_between(x, [r["low"] for r in points], [r["high"] for r in points], color=LIGHT)
        ax.plot(x, y, "o-", color=BLUE, ms=4, label="ours")
        known = published.ABLATIONS[curve]
        ax.plot(list(known), list(known.values()), "D", color=DARK, ms=5, mfc="none", label="post")
        ax.axhline(decompose.CHANCE, color=GRAY, lw=0.8, ls=":", label="chance")
        ax.set_ylim(0, 1.02)
        plain(ax, curve, x=ablations.AXES[curve])
    axes[0, 0].set_ylabel("top-1", fontsize=9)
    axes[0, 0].legend(fontsize=8, frameon=False, loc="lower left")
    return figure, (
        f"Figure 6. Three controlled ablations on ModelNet40 test (n = {table[0]['n']}) "
        f"with the baseline ({study.trained('baseline')}); diamonds: the numbers the post prints; "
        f"bands: 95 % bootstrap."
    )


def waterfall(study, clouds):
    """Figure 9: the gap taken apart in both orders, and the step to OBJ_BG."""
    results = study.results.get("baseline")
    parts = decompose.attribution(results) if results else {}
    if not decompose.measured(parts):
        return "the baseline on ModelNet40 test and OBJ_ONLY is not there"
    figure, axes = new_figure(12, 4.2, 1, 3, sharey=True, width_ratios=(6, 5, 4))
    _falls(axes[0, 0], results, parts, SCAN_FIRST)
    plain(axes[0, 0], "scan first, then the tilt", y="top-1")
    _falls(axes[0, 1], results, parts, TILT_FIRST)
    plain(axes[0, 1], "the tilt first (clean CAD clouds), then the scan")
    _falls(axes[0, 2], results, parts, BACKGROUND)
    plain(axes[0, 2], "background, aligned and as published")
    axes[0, 0].legend(fontsize=8, frameon=False, loc="upper right")
    axes[0, 0].set_ylim(0, 1.12)
    only = results.get("obj_only", ALIGNED)
    axis, scan = decompose.split_of_post(parts)
    return figure, (
        f"Figure 9. What the gap is made of. ModelNet40 test "
        f"(n = {len(results.get('modelnet40').labels)}) and {only.data.split('/')[0]} as OBJ_ONLY "
        f"and OBJ_BG (n = {len(only.labels)}: {class_counts(only)}). Baseline, "
        f"{study.trained('baseline')}; whiskers and brackets: 95 % bootstrap; black: the post. "
        f"Divided as the mean of both orders, the post's 82 points are {axis:.0f} axis convention "
        f"and {scan:.0f} sensor, occlusion and heading."
    )


# Steps of a waterfall: (variant, column, label, colour) or (part, label, colour).
CAD = ("modelnet40", ALIGNED, "CAD test", GRAY)
PUBLISHED = ("obj_only", AS_PUBLISHED, "OBJ_ONLY\nas\npublished", GRAY)
SCAN_FIRST = (
    CAD,
    ("heading", "heading", AMBER),
    ("sensor", "sensor,\nocclusion", GREEN),
    ("obj_only", ALIGNED, "OBJ_ONLY\naligned", BLUE),
    ("axis", "axis\nconvention", CORAL),
    PUBLISHED,
)
TILT_FIRST = (
    CAD,
    ("axis_first", "axis\nconvention", CORAL),
    (decompose.TIPPED, ALIGNED, "CAD test\nturned\ny-up", BLUE),
    ("scan_second", "sensor,\nocclusion,\nheading", AMBER),
    PUBLISHED,
)
BACKGROUND = (
    ("obj_only", ALIGNED, "OBJ_ONLY\naligned", BLUE),
    ("obj_bg", ALIGNED, "OBJ_BG\naligned", PURPLE),
    PUBLISHED,
    ("obj_bg", AS_PUBLISHED, "OBJ_BG\nas\npublished", PURPLE),
)


def _falls(ax, results, parts, steps):
    """Bars from zero for accuracies, floating ones for the differences between them."""
    labels, level = [], None
    for x, (name, *rest) in enumerate(steps):
        labels.append(rest[-2])
        if len(rest) == 3:
            prediction = results.get(name, rest[0])
            if prediction is not None:
                level = _total(ax, x, prediction, rest[-1])
                _published(ax, x, name, rest[0])
        elif name in parts and level is not None:
            level = _fall(ax, x, level, parts[name], rest[-1])
    ax.set_xticks(range(len(steps)), labels)
    ax.axhline(decompose.CHANCE, color=GRAY, lw=0.8, ls=":", label="chance")


def _published(ax, x, variant, column):
    """The post's number over a bar of its own column."""
    if variant in published.TABLE_1 and (variant == "modelnet40" or column == AS_PUBLISHED):
        y = published.TABLE_1[variant][1]
        ax.plot([x - 0.4, x + 0.4], [y, y], color="black", lw=2, label="post" if not x else None)


def _total(ax, x, prediction, colour):
    """A bar from zero with its interval and number; returns its height."""
    value = float(prediction.right.mean())
    whiskers = errors([value], [bootstrap(prediction.right)])
    ax.bar(x, value, 0.8, color=colour, yerr=whiskers, error_kw={"elinewidth": 0.9})
    inside = value > 0.25
    y, colour = (value / 2, "white") if inside else (value + whiskers[1, 0] + 0.03, DARK)
    ax.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=9, color=colour)
    return value


def _fall(ax, x, level, part, colour):
    """A floating bar from `level` down by a difference, with its points; returns the new level."""
    low, high = sorted((level, level - part.value))
    ax.bar(x, max(high - low, 0.004), 0.8, low, color=colour, alpha=0.75, hatch="//", edgecolor="w")
    interval = [round(100 * v) for v in part.interval]
    text = f"{-100 * part.value:+.0f}\n({-interval[1]:+d} to {-interval[0]:+d})"
    ax.text(x, high + 0.015, text, ha="center", va="bottom", fontsize=7.5, color=DARK)
    return level - part.value
