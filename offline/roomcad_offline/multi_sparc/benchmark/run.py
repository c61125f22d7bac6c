"""The parts of the benchmark in one place: judge methods, keep their records, write the report."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.config import AlignConfig
from roomcad_core.library import Library
from roomcad_offline.multi_sparc.benchmark import figures, report, rooms, views
from roomcad_offline.multi_sparc.benchmark.judge import Poses, accuracy_table, judge_score, right
from roomcad_offline.multi_sparc.benchmark.network import (
    MOST_UPDATES,
    judge_network,
    load_trained,
    run_network,
)
from roomcad_offline.multi_sparc.benchmark.outcomes import judge_stages, poses_of, run_stages
from roomcad_offline.multi_sparc.benchmark.sheet import draw_sheet
from roomcad_offline.multi_sparc.benchmark.stages import GIVEN, Stages


@dataclass(frozen=True)
class Benchmark:
    """A built benchmark and where its results go."""

    folder: Path
    library: Library
    rooms: list  # room folders
    views: list  # ObjectViews
    out: Path
    settings: object = rooms.ROOMS  # RoomConfig

    def aligner(self, name, config):
        """Judge one of the robot's aligners with true masks, classes and CAD ids.

        `name`: of the record; `config`: AlignConfig.
        """
        stages = Stages(self.library, config.aligner, align_config=config)
        outcomes = run_stages(stages, self.folder, self.views, ("cad",), name)["cad"]
        poses = poses_of(outcomes)
        is_right = self._sheet(name, poses)
        record = accuracy_table(is_right, self.views)
        if config.aligner == "multi_sparc":
            counted = np.array([v.counted for v in self.views])
            record["score"] = judge_score(poses.score[counted, 0], is_right[counted])
            path = self.out / f"alignment_calibration_{name}.png"
            figures.draw_calibration(name, {"score": record["score"]}, path)
        self._keep("method", name, record)

    def network(self, run, name, updates, device="cpu"):
        """Judge the averaged weights of a training's folder `run` under a name."""
        trained = dataclasses.replace(load_trained(run, device), name=name)
        most = max(updates, MOST_UPDATES)
        results, cameras = run_network(trained, self.folder, self.views, self.library, most)
        record, chosen = judge_network(trained, results, cameras, self.views, self.library, updates)
        self._sheet(name, selected(results[updates], chosen))
        self._keep("method", name, record)
        scores = {"sigma": record["sigma"], "2D box overlap": record["score_2d"]}
        figures.draw_calibration(name, scores, self.out / f"alignment_calibration_{name}.png")

    def stages(self, aligner, model=None):
        """Judge the robot's stages with an aligner, given more and more of the truth."""
        config = AlignConfig(**({"model": model} if model else {}))
        stages = Stages(self.library, aligner, align_config=config)
        name = f"{aligner}-{model}" if model else aligner
        outcomes = run_stages(stages, self.folder, self.views, GIVEN, f"stages_{name}")
        self._keep("stages", name, judge_stages(outcomes, self.views))

    def report(self):
        """Write alignment.json, alignment.md and the pictures of all methods; returns the text."""
        sha256 = views.digest(self.views)
        methods, stages = (
            report.read_parts(self.folder, kind, sha256) for kind in ("method", "stages")
        )
        about = rooms.describe(self.library, self.rooms, self.settings) | {
            "views": len(self.views),
            "counted": sum(v.counted for v in self.views),
            "rule": views.RULE,
            "views_sha256": sha256,
        }
        record = {"benchmark": about, "methods": methods, "stages": stages}
        report.write(record, self.out)
        if methods:
            figures.draw_classes(methods, self.out / "alignment_classes.png")
        if report.networks_of(record):
            networks = report.networks_of(record)
            figures.draw_updates(networks, self.out / "alignment_updates.png")
        return report.markdown(record)

    def _sheet(self, name, poses):
        """Draw examples; returns (N,) bool, which views are right."""
        is_right = right(poses, self.views)[:, 0]
        path = self.out / f"alignment_examples_{name}.png"
        draw_sheet(self.folder, self.views, poses, is_right, self.library, path)
        return is_right

    def _keep(self, kind, name, record):
        record = record | {"views_sha256": views.digest(self.views)}
        report.save_part(self.folder, kind, name, record)


def selected(poses, chosen):
    """Poses with the one result of each view that was chosen (N,)."""
    rows = np.arange(len(chosen))
    return Poses(*(x[rows, chosen][:, None] for x in (poses.T, poses.R, poses.S, poses.score)))
