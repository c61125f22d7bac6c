"""Settings of the room benchmark and the names of its files; the only place with its defaults."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from roomcad_core.classes import CLASSES, SYNSETS
from roomcad_core.config import Checked, setting
from roomcad_offline.evaluation.categories import NAMES
from roomcad_offline.rooms.config import RoomConfig

VERSION = 1
FRAMES = "scannet_frames_25k"
ANNOTATIONS = "full_annotations.json"
APPEARANCES = "cad_appearances.json"
SPLIT = "scannetv2_val.txt"
IMAGES = "val_images.txt"
INSTANCES = "scan2cad_instances_val.json"
DETECTIONS = {"detected": "detections.json", "true": "detections_true.json"}
PREDICTIONS = "per_frame_preds.json"
FUSED = "fused_results.csv"

FIRST_SCENE = 8000  # beyond ScanNet's own numbers, so that files can never be mixed up
FRAME_STEP = 100  # frame names of ScanNet25k are multiples of it

# ShapeNet, and with it Scan2CAD, counts desks as tables; toilets are none of the nine classes.
CATEGORIES = {c: SYNSETS["table" if c == "desk" else c] for c in CLASSES}
CATEGORIES = {c: synset for c, synset in CATEGORIES.items() if synset in NAMES}


@dataclass(frozen=True)
class DetectorConfig(Checked):
    """How the 2D detections differ from the truth; q in 0-1 grows with what is seen of a thing."""

    min_share: float = setting(0.002, "visible pixels of a detection at least, of the image", 0, 1)
    clear_share: float = setting(0.025, "pixels from which q is 1, of the image", 0.0, 1.0)
    missed: float = setting(0.03, "objects missed where q is 1", 0.0, 1.0)
    missed_faint: float = setting(0.35, "objects missed where q is 0", 0.0, 1.0)
    wrong_class: float = setting(0.03, "detections called another class of the scene", 0.0, 1.0)
    wrong_cad: float = setting(0.2, "detections with another CAD of class and scene", 0.0, 1.0)
    false: float = setting(0.05, "things that are no furniture but detected as some", 0.0, 1.0)
    box_jitter: float = setting(0.03, "deviation of a box edge, of the side", 0.0, 1.0)
    mask_warp: float = setting(2.5, "deviation of wavy mask borders, at 640 px width [px]", 0, 30)
    mask_grow: float = setting(2.0, "deviation of the masks' width, at 640 px width [px]", 0, 30)
    score_clear: float = setting(2.6, "mean logit of the score where q is 1", -10.0, 10.0)
    score_faint: float = setting(0.6, "mean logit where q is 0, or the class is wrong", -10.0, 10.0)
    score_spread: float = setting(1.0, "deviation of the logit", 0.0, 10.0)
    min_score: float = setting(0.5, "detections of a lower score are left out, as ROCA's", 0, 1)


def _rooms():
    # Frames 2 s apart: the camera has walked on and looks at something else, as in ScanNet25k.
    return RoomConfig(rooms=64, frames=32, fps=0.5, seed=22_001)


@dataclass(frozen=True)
class BenchmarkConfig:
    """All that decides the content of the benchmark beside its CAD library."""

    rooms: RoomConfig = field(default_factory=_rooms)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    seen_share: float = 0.003  # an object is annotated if a frame shows so much of it, of the image

    def smaller(self, times):
        """The same benchmark with its first rooms only; ValueError unless `times` >= 1."""
        if times < 1:
            raise ValueError(f"smaller: got {times}, expected at least 1")
        return replace(self, rooms=replace(self.rooms, rooms=max(self.rooms.rooms // times, 1)))

    def identity(self):
        """Plain values of what must not change in a folder; the number of rooms may grow."""
        rooms = asdict(self.rooms)
        del rooms["rooms"], rooms["library"]
        values = {"rooms": rooms, "detector": asdict(self.detector), "seen_share": self.seen_share}
        return {"version": VERSION, **values}


def scene_name(number):
    """Name of room `number` as a scan."""
    return f"scene{FIRST_SCENE + number:04d}_00"


def frame_name(number):
    """Name of frame `number` of a room."""
    return f"{FRAME_STEP * number:06d}"
