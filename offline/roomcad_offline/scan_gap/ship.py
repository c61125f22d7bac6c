"""Puts the study's trained networks into models/, where the robot and a stranger find them."""

import logging

from roomcad_offline.classifier.ship import ship
from roomcad_offline.scan_gap.networks import load_run

log = logging.getLogger(__name__)

SHIPPED = ("baseline", "rot32", "rot32_bg")  # what `classify.model` can name
HEADER = ("epochs", "planned_epochs", "seed", "clouds", "seconds")


def ship_all(config, models):
    """Ship the recipes that are trained to the end; returns their names, the rest is warned of."""
    shipped = []
    for name in SHIPPED:
        try:
            network, facts = load_run(config.runs / name)
        except FileNotFoundError as error:
            log.warning("%s is not shipped: %s", name, error)
            continue
        if facts["epochs"] < facts["planned_epochs"]:
            done = f"{facts['epochs']} of {facts['planned_epochs']} epochs"
            log.warning("%s is not shipped: its training is at %s", name, done)
            continue
        about = {key: facts[key] for key in HEADER}
        ship(network, models, name, facts["classes"], config.points, "unit_sphere", about=about)
        shipped.append(name)
    return shipped
