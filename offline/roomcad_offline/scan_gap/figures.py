"""All figures of the study as PNG files, each with the caption that says which data it shows."""

import logging
from pathlib import Path

from tqdm import tqdm

log = logging.getLogger(__name__)
DPI = 110


def drawers():
    """{file name: function (study, clouds) -> (figure, caption), or why it cannot be drawn}."""
    from roomcad_offline.scan_gap import draw_clouds, draw_curves, draw_scores

    return {
        "fig01_classes.png": draw_clouds.class_gallery,
        "fig02_pipeline.png": draw_clouds.pipeline,
        "fig03_per_class.png": draw_scores.per_class_bars,
        "fig04_confusion_delta.png": draw_scores.confusion_delta,
        "fig05_noise.png": draw_clouds.noise_gallery,
        "fig06_ablations.png": draw_curves.ablation_curves,
        "fig07_failures.png": draw_scores.failure_bars,
        "fig08_retraining.png": draw_scores.retraining_bars,
        "fig09_finding.png": draw_curves.waterfall,
    }


def draw_all(study, clouds, out):
    """Draw what can be drawn into `out`; returns {file name: caption}.

    Args:
        study: state.Study.
        clouds: {variant: Clouds of the eight classes}, for the galleries.
        out: folder. A figure of an earlier run that cannot be drawn now is removed.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name, draw in tqdm(drawers().items(), "figures", unit="figure"):
        drawn = draw(study, clouds)
        if isinstance(drawn, str):
            log.warning("%s is not drawn: %s", name, drawn)
            (out / name).unlink(missing_ok=True)
            continue
        figure, captions[name] = drawn
        figure.savefig(out / name, dpi=DPI, metadata={"Software": None})
    return captions
