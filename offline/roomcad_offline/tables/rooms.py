"""Which predictions of the room benchmark stand beside which row of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from roomcad_offline.room_benchmark.variant import STACK

BEST, BY_2D, FUSED = "best frame", "best frame, 2D score", "fused"
MAIN = "live"  # predictions of the long training
RGB = "live-rgb"  # the same from colour alone, or a training for that
FIRST = (MAIN, RGB, *STACK)  # runs that are listed before others

# Row of the paper -> predictions in FOLDER/predictions, and how they become one pose an object.
TABLE1 = {
    "joint-decoding": ("joint-decoding", BEST),
    "joint-encoding": ("joint-encoding", BEST),
    "single-object": ("single-object", BEST),
    "multi-object": ("reference", BEST),
    "single-object-pre": ("live-single", BEST),
    "multi-object-pre": (MAIN, BEST),
    "sparse-joint": ("sparse-joint", BEST),
    "sparsest-joint": ("sparsest-joint", BEST),
    "2d-confidence": (MAIN, BY_2D),
    "3d-classification": (MAIN, BEST),
    "ours": (MAIN, BEST),
}
TABLE4 = {
    "mul-5-latents-40": ("latents-half", BEST),
    "mul-5-latents-80": ("reference", BEST),
    "mul-10-latents-20": ("mul-10-latents-quarter", BEST),
    "mul-10-latents-40": ("mul-10-latents-half", BEST),
}
TABLE2 = {"ours": MAIN}
# Our rows that the paper has none of: (row they stand under, name in the table, predictions).
OWN = (("ours", "the same, from colour alone", RGB),)
SEEN = (
    f"`{MAIN}`, like all other rows on `rooms`, sees the depth of a simulated sensor. `{RGB}` sees"
    " colour alone, as the published methods do: depth and normals are predicted, and objects start"
    " 3 m away."
)
ELSEWHERE = "another method, neither its code nor its weights are part of this project"


@dataclass(frozen=True)
class Rooms:
    """What the room benchmark has to show.

    Attributes:
        folder: of the benchmark, or None.
        runs: {name: scores of score.score_run}.
        absent: why there are no runs at all; "" if there are.
        about: contents of config.json.
    """

    folder: Path | None
    runs: dict
    absent: str
    about: dict

    def why(self, name):
        """Why the predictions `name` are not there."""
        return self.absent or f"no predictions {name!r} in {self.folder}/predictions"

    def of(self, name):
        """Scores of predictions, or None."""
        return self.runs.get(name)


def read_rooms(folder, mesh=False, processes=1):
    """Rooms of a benchmark folder; what was predicted there and not scored yet is scored.

    Args:
        folder: path or None.
        mesh: AP mesh, too.
        processes: for rendering and sampling.
    """
    from roomcad_offline.evaluation.roca_files import read_json
    from roomcad_offline.room_benchmark.build import Built
    from roomcad_offline.room_benchmark.score import finished, score_run

    if folder is None:
        return Rooms(None, {}, "no room benchmark was named (--rooms)", {})
    try:
        built = Built.open(folder)
    except FileNotFoundError:
        return Rooms(None, {}, f"no room benchmark in {folder} (`eval rooms` makes it)", {})
    names = sorted(finished(built.folder), key=listed)
    runs = {name: score_run(built, name, mesh, processes) for name in names}
    absent = "" if runs else "nothing was predicted on the room benchmark (`eval rooms-predict`)"
    return Rooms(Path(folder), runs, absent, read_json(built.folder / "config.json"))


def training_of(scores):
    """What a run's network was trained for, in words; "" for methods without a network."""
    about = scores["variant"].get("training")
    if not about:
        return ""
    text = f"preset {about['preset']}"
    if "mode" in about:
        text += f", mode {about['mode']}"
    if "steps" in about:
        text += f", {about['steps']} steps"
        text += f" of {about['images_a_step']} images" if "images_a_step" in about else ""
    return text


def listed(name):
    """Sorts names of predictions as tables list them."""
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


def settings_of(scores):
    """What a run did differently from the usual, in words."""
    v = scores["variant"]["variant"]
    told = [] if v["detections"] == "detected" else ["true detections"]
    if v.get("input") == "rgb":
        told.append("colour alone" + ("" if v["rgb_start"] == "3m" else ", from predicted depth"))
    if v["method"] in ("gt", *STACK):
        return ", ".join(told)
    if v["initialisations"] != "four":
        told.append({"one": "one initialisation"}.get(v["initialisations"], v["initialisations"]))
    if v["select"] != "sigma":
        told.append(f"selected: {v['select']}")
    if not v["joint"]:
        told.append("aligned one by one")
    told.append(f"{v['updates']} updates")
    return ", ".join(told)
