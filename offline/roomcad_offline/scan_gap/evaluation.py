"""All trained networks on all test sets: what the study measures. Torch only where needed."""

import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from roomcad_offline.scan_gap import ablations, decompose, perturb, reproducibility, taxonomy
from roomcad_offline.scan_gap.clouds import CLASSES_8, data_folder
from roomcad_offline.scan_gap.config import REPOSITORY, cache_path
from roomcad_offline.scan_gap.evaluate import (
    ALIGNED,
    COLUMNS,
    Prediction,
    Results,
    predict,
    save_results,
    turned,
)
from roomcad_offline.scan_gap.scanobjectnn import (
    CLASSES_11,
    to_classes_11,
    with_classes_8,
    with_classes_11,
    y_up,
)
from roomcad_offline.scan_gap.state import Study, predictions_folder, save_state
from roomcad_offline.scan_gap.variants import collect

log = logging.getLogger(__name__)
SORTED_OBJECTS = 500  # objects at most whose mechanism is found whether right or wrong
ELEVEN = "_11"  # ends the run folder of a network with all of ModelNet40's classes


def evaluate_all(config):
    """Predictions of every network on every variant at hand; returns the Study, also saved."""
    variants = collect(
        data_folder(config.data), config.scanobjectnn, cache_path(config, "test"), seed=0
    )
    study = Study(missing=variants.missing, machine=reproducibility.machine())
    study.config = {k: portable(v) for k, v in asdict(config).items()}
    folder = predictions_folder(config.out)
    folder.mkdir(parents=True, exist_ok=True)
    for recipe in config.recipes:
        path = folder / f"{recipe}.json"
        try:
            network, facts = load_network(config, recipe)
        except FileNotFoundError as error:
            study.not_run[recipe] = f"recipe {recipe} is not trained ({_name(error)} is missing)"
            path.unlink(missing_ok=True)
            log.warning("not run: %s", study.not_run[recipe])
            continue
        study.results[recipe] = Results(recipe, facts, evaluate_8(network, recipe, variants))
        save_results(study.results[recipe], path)
    evaluate_eleven(config, variants, study)
    study.failures = sort_failures(study, variants)
    save_state(study, config.out)
    return study


def _name(error):
    """File name within a FileNotFoundError of ours."""
    return Path(str(error).split(":")[0]).name


def load_network(config, recipe):
    """Network and facts of a recipe: exported weights where a folder of these is given."""
    from roomcad_offline.scan_gap.networks import load_exported, load_run

    if config.weights:
        return load_exported(Path(config.weights) / f"pointnet_{recipe}.safetensors", CLASSES_8)
    return load_run(Path(config.runs) / recipe)


def evaluate_8(network, recipe, variants):
    """Predictions of an 8-class network: variants in both columns; controls for the baseline."""
    sets = []
    for variant, clouds in variants.found.items():
        clouds = with_classes_8(clouds)
        columns = (ALIGNED,) if variant == "modelnet40" else COLUMNS
        sets += [(variant, c, clouds.with_points(turned(clouds.points, c))) for c in columns]
    if "modelnet40" in variants.found:
        sets += controls(with_classes_8(variants.found["modelnet40"]), recipe == "baseline")
    return [
        Prediction(variant, column, c.name, c.classes, c.labels, predict(network, c.points))
        for variant, column, c in tqdm(sets, f"evaluate {recipe}", unit="set")
    ]


def controls(cad, with_curves):
    """CAD clouds only turned, and (for the baseline) with one perturbation at a time."""
    heading = perturb.rotate(cad.points, perturb.yaw_pool(360), np.random.default_rng(0))
    sets = [
        (decompose.TIPPED, ALIGNED, cad.with_points(y_up(cad.points))),
        (decompose.ANY_HEADING, ALIGNED, cad.with_points(heading)),
    ]
    for curve, values in ablations.CURVES.items() if with_curves else ():
        for value in values:
            clouds = cad.with_points(ablations.perturbed(cad.points, curve, value))
            sets.append((ablations.variant_of(curve, value), ALIGNED, clouds))
    return sets


def evaluate_eleven(config, variants, study):
    """Add the predictions of the networks that know all of ModelNet40's classes."""
    from roomcad_offline.scan_gap.networks import load_run

    for recipe in config.recipes:
        folder = Path(config.runs) / (recipe + ELEVEN)
        path = predictions_folder(config.out) / f"{recipe}{ELEVEN}.json"
        if config.weights or not (folder / "checkpoint.pt").is_file():
            path.unlink(missing_ok=True)
            continue
        network, facts = load_run(folder)
        predictions = []
        for variant, clouds in variants.found.items():
            clouds = with_classes_11(clouds)
            for column in (ALIGNED,) if variant == "modelnet40" else COLUMNS:
                said = predict(network, turned(clouds.points, column))
                said = to_classes_11(said, facts["classes"])
                p = Prediction(variant, column, clouds.name, CLASSES_11, clouds.labels, said)
                predictions.append(p)
        study.eleven[recipe] = Results(recipe, facts, predictions)
        save_results(study.eleven[recipe], path)


def sort_failures(study, variants):
    """Figure 7's rows: the baseline's errors on the hardest variant in both columns, and, to see
    what the rules say without an error, all objects (column `all`).
    """
    variant = study.hardest()
    if variant is None or "modelnet40" not in variants.found:
        return []
    clouds = with_classes_8(variants.found[variant])
    usual = taxonomy.baseline(with_classes_8(variants.found["modelnet40"]))
    rows = []
    for column in COLUMNS:
        prediction = study.results["baseline"].get(variant, column)
        for row in taxonomy.taxonomy(clouds, prediction, usual):
            rows.append({"column": column, "data": clouds.name, **row})
    everything = range(min(len(clouds), SORTED_OBJECTS))
    for row in taxonomy.sort_objects(clouds, usual, everything):
        rows.append({"column": "all", "data": clouds.name, **row})
    return rows


def portable(value):
    """A setting as it is written down: folders of the checkout without where that lies."""
    if not isinstance(value, Path):
        return value
    path = value.resolve()
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(value)
