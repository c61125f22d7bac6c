"""Figures 3, 4, 7 and 8: per-class bars, confusion delta, failure taxonomy, retraining."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from roomcad_offline.scan_gap import published, rows, taxonomy
from roomcad_offline.scan_gap.draw_style import (
    BLUE,
    CORAL,
    DARK,
    GRAY,
    LIGHT,
    RECIPE_COLOURS,
    errors,
    new_figure,
    plain,
)
from roomcad_offline.scan_gap.evaluate import ALIGNED, AS_PUBLISHED, COLUMNS, confusion, scores
from roomcad_offline.scan_gap.variants import TITLES

COLUMN_TITLES = {AS_PUBLISHED: "as published (scans y-up)", ALIGNED: "aligned (z-up)"}
BEFORE_AFTER = LinearSegmentedColormap.from_list("delta", [CORAL, "white", BLUE])


def per_class_bars(study, clouds):
    """Figure 3: per class on CAD and on OBJ_BG in both columns, sorted by CAD accuracy."""
    results = study.results.get("baseline")
    if not results or not results.get("modelnet40") or not results.get("obj_bg"):
        return "the baseline on ModelNet40 test and OBJ_BG is not there"
    bars = {
        "ModelNet40 test": (results.get("modelnet40"), GRAY),
        "OBJ_BG as published": (results.get("obj_bg", AS_PUBLISHED), CORAL),
        "OBJ_BG aligned": (results.get("obj_bg", ALIGNED), BLUE),
    }
    measured = {name: scores(p)["per_class"] for name, (p, _) in bars.items()}
    cad, real = measured["ModelNet40 test"], measured["OBJ_BG aligned"]
    order = sorted(cad, key=lambda c: -cad[c]["accuracy"])
    figure, axes = new_figure(9, 3.4)
    ax = axes[0, 0]
    for k, (name, (_, colour)) in enumerate(bars.items()):
        x = np.arange(len(order)) + (k - 1) * 0.27
        values = [measured[name].get(c, {"accuracy": np.nan})["accuracy"] for c in order]
        ax.bar(x, values, 0.25, color=colour, label=name)
    known = [published.PER_CLASS["baseline", "obj_bg"][c] for c in order]
    ax.plot(np.arange(len(order)), known, "D", color=DARK, ms=4, label="post, OBJ_BG")
    for i, name in enumerate(order):
        if name not in real:
            ax.text(i + 0.14, 0.03, "no object", rotation=90, fontsize=7, color=GRAY, ha="center")
    ticks = [f"{c}\nn={real.get(c, {'n': 0})['n']}" for c in order]
    ax.set_xticks(range(len(order)), ticks)
    ax.set_ylim(0, 1.02)
    plain(ax, y="top-1")
    figure.legend(loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    p = results.get("obj_bg", ALIGNED)
    return figure, (
        f"Figure 3. Top-1 per class of the baseline ({study.trained('baseline')}): ModelNet40 test "
        f"(n = {len(results.get('modelnet40').labels)}) and OBJ_BG from {p.data} "
        f"(n = {len(p.labels)}), as published and aligned; diamonds: the post's OBJ_BG."
    )


def confusion_delta(study, clouds):
    """Figure 4: confusion of the hardest variant minus that of ModelNet40 test, both columns."""
    variant = study.hardest()
    if variant is None or not study.results["baseline"].get("modelnet40"):
        return "no real variant was evaluated with the baseline"
    results = study.results["baseline"]
    cad = confusion(results.get("modelnet40"))
    figure, axes = new_figure(10, 4.6, 1, 2)
    for ax, column in zip(axes[0], COLUMNS, strict=True):
        p = results.get(variant, column)
        image = _delta_panel(ax, confusion(p) - cad, p.classes)
        ax.set_title(COLUMN_TITLES[column], fontsize=10, loc="left", color=DARK)
    axes[0, 0].set_ylabel("true class", fontsize=9)
    figure.colorbar(image, ax=axes, shrink=0.8, label="share of the true class, change")
    return figure, (
        f"Figure 4. Confusion matrix of {TITLES[variant]} ({p.data}, n = {len(p.labels)}) minus "
        f"that of ModelNet40 test (n = {len(results.get('modelnet40').labels)}); baseline, "
        f"{study.trained('baseline')}. Coral: lost, blue: gained. Grey rows: no object of that "
        f"class in the data. As published, mass moves to 'bookshelf'."
    )


def _delta_panel(ax, delta, classes):
    """One matrix with its numbers; returns the image."""
    ax.set_facecolor(LIGHT)
    image = ax.imshow(delta, cmap=BEFORE_AFTER, vmin=-1, vmax=1)
    for (i, k), value in np.ndenumerate(delta):
        if np.isfinite(value) and abs(value) >= 0.05:
            colour = "white" if abs(value) > 0.7 else DARK
            ax.text(k, i, f"{value:+.2f}", ha="center", va="center", fontsize=6.5, color=colour)
    ax.set_xticks(range(len(classes)), classes, rotation=45, ha="right", fontsize=8)
    ax.set_yticks(range(len(classes)), classes, fontsize=8)
    ax.set_xlabel("predicted class", fontsize=9)
    return image


def failure_bars(study, clouds):
    """Figure 7: mechanisms of the errors, the post's beside ours."""
    if not study.failures:
        return "no errors were sorted"
    shares = rows.failure_shares(study)
    groups = (*COLUMNS, "all")
    by = {c: [r["share"] for r in shares if r["column"] == c] for c in groups}
    n = {c: next(r["n"] for r in shares if r["column"] == c) for c in groups}
    figure, axes = new_figure(8.5, 3)
    ax = axes[0, 0]
    bars = [
        ("post (100 errors of T50_RS)", list(published.TAXONOMY.values()), GRAY),
        (f"ours, as published ({n[AS_PUBLISHED]} errors)", by[AS_PUBLISHED], CORAL),
        (f"ours, aligned ({n[ALIGNED]} errors)", by[ALIGNED], BLUE),
        (f"ours, all {n['all']} objects, right or wrong", by["all"], LIGHT),
    ]
    for k, (label, values, colour) in enumerate(bars):
        x = np.arange(len(taxonomy.MECHANISMS)) + (k - 1.5) * 0.21
        values = [v if v != "" else 0 for v in values]
        drawn = ax.bar(x, values, 0.2, color=colour, label=label)
        ax.bar_label(drawn, [f"{100 * v:.0f} %" for v in values], fontsize=7)
    ax.set_xticks(range(len(taxonomy.MECHANISMS)), taxonomy.MECHANISMS)
    ax.set_ylim(0, 1.08)
    plain(ax, y="share")
    ax.legend(fontsize=8, frameon=False, loc="upper center")
    data = study.failures[0]["data"]
    return figure, (
        f"Figure 7. Failure taxonomy of the baseline's errors on {TITLES[study.hardest()]} "
        f"({data}; {n[AS_PUBLISHED]} errors as published, {n[ALIGNED]} aligned; at most "
        f"{taxonomy.N_ERRORS} are sampled; {study.trained('baseline')}). The first mechanism that "
        f"applies, in this order, counts. The light bars are the same rules on all objects, right "
        f"or wrong: where they are as high, the rule finds what every scan has, not what fails."
    )


def retraining_bars(study, clouds):
    """Figure 8: top-1 of every recipe on the real variants, in both columns."""
    table = [r for r in rows.retraining(study) if r["variant"] != "modelnet40"]
    measured = [r for r in table if r["top1"] != ""]
    if not measured:
        return "no recipe was evaluated on a real variant"
    figure, axes = new_figure(11, 3.8, 1, 2, sharey=True)
    for ax, column in zip(axes[0], COLUMNS, strict=True):
        _retraining_panel(ax, [r for r in table if r["column"] == column], column)
    axes[0, 0].set_ylabel("top-1", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=6, fontsize=8, frameon=False)
    trained = "; ".join(f"{r}: {study.trained(r)}" for r in study.results)
    data = sorted({f"{TITLES[r['variant']]} = {r['data']}, n = {r['n']}" for r in measured})
    return figure, (
        f"Figure 8. Synthetic-only retraining, as published (left) and aligned (right). Data: "
        f"{'; '.join(data)}. {trained}. Whiskers: 95 % bootstrap; black dashes: the post."
    )


def _retraining_panel(ax, table, column):
    """Grouped bars of one column; absent variants and recipes are said to be so."""
    variants = list(dict.fromkeys(r["variant"] for r in table))
    recipes = list(dict.fromkeys(r["recipe"] for r in table))
    width = 0.84 / len(recipes)
    there = {r["variant"] for r in table if r["top1"] != ""}
    for recipe in recipes:
        ax.bar(0, 0, color=RECIPE_COLOURS[recipe], label=recipe)
    for r in table:
        middle = variants.index(r["variant"])
        x = middle + (recipes.index(r["recipe"]) - (len(recipes) - 1) / 2) * width
        if r["top1"] != "":
            whiskers = errors([r["top1"]], [(r["low"], r["high"])])
            options = {"color": RECIPE_COLOURS[r["recipe"]], "yerr": whiskers}
            ax.bar(x, r["top1"], 0.92 * width, error_kw={"elinewidth": 0.8}, **options)
        elif r["variant"] in there:
            ax.text(x, 0.01, "not run", rotation=90, fontsize=6.5, color=GRAY, ha="center")
        if column == AS_PUBLISHED and r["published_top1"] != "":
            ends, y = [x - 0.46 * width, x + 0.46 * width], r["published_top1"]
            ax.plot(ends, [y, y], color="black", lw=2)
    for variant in set(variants) - there:
        ax.text(variants.index(variant), 0.5, "not run", fontsize=8, color=GRAY, ha="center")
    ax.plot([], [], color="black", lw=2, label="post")
    ax.set_xticks(range(len(variants)), [TITLES[v].replace(" (", "\n(") for v in variants])
    ax.set(xlim=(-0.6, len(variants) - 0.4), ylim=(0, 1))
    plain(ax, COLUMN_TITLES[column])
