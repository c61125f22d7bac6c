"""The study from data to files: train, evaluate, tables, figures; torch only where needed."""

import logging

from roomcad_offline.scan_gap.clouds import CLASSES_8, data_folder
from roomcad_offline.scan_gap.config import cache_path
from roomcad_offline.scan_gap.evaluation import ELEVEN, evaluate_all
from roomcad_offline.scan_gap.modelnet import read_cache
from roomcad_offline.scan_gap.scanobjectnn import with_classes_8
from roomcad_offline.scan_gap.state import load_study
from roomcad_offline.scan_gap.variants import collect

log = logging.getLogger(__name__)


def train_all(config):
    """Train every recipe that is not complete; unfinished runs are resumed."""
    from roomcad_offline.pointnet.fit import FitConfig
    from roomcad_offline.scan_gap.recipes import train

    clouds = read_cache(cache_path(config, "train"))
    wanted = [("", clouds.of_classes(CLASSES_8))]
    if config.eleven:
        wanted.append((ELEVEN, clouds))
    fit_config = FitConfig(epochs=config.epochs, batch=config.batch, seed=config.seed)
    for recipe in config.recipes:
        for suffix, of_protocol in wanted:
            folder = config.runs / (recipe + suffix)
            if is_complete(folder, config.epochs):
                log.info("%s: trained already", folder)
            else:
                train(recipe, of_protocol, folder, fit_config)


def is_complete(folder, epochs):
    """Whether a run has all of its epochs; another number of epochs is an error."""
    from roomcad_offline.scan_gap.networks import load_run

    if not (folder / "checkpoint.pt").is_file():
        return False
    _, facts = load_run(folder)
    if facts["planned_epochs"] != epochs:
        got = facts["planned_epochs"]
        raise ValueError(f"{folder}: holds a run of {got} epochs, wanted {epochs}; see --epochs")
    return facts["epochs"] == epochs


def write_all(config):
    """Figures and tables of what was evaluated; returns the records of summary.json."""
    from roomcad_offline.scan_gap.figures import draw_all
    from roomcad_offline.scan_gap.tables import write_tables

    study = load_study(config.out)
    captions = draw_all(study, clouds_for_pictures(config), config.out)
    return write_tables(study, config.out, captions)


def clouds_for_pictures(config):
    """{variant: Clouds of the eight classes}; empty, and said so, where the data is not there."""
    found = collect(
        data_folder(config.data), config.scanobjectnn, cache_path(config, "test"), seed=0
    ).found
    return {variant: with_classes_8(clouds) for variant, clouds in found.items()}


def run_study(config):
    """Everything, from the data at hand to the last figure."""
    if config.train and not config.weights:
        train_all(config)
    evaluate_all(config)
    return write_all(config)
