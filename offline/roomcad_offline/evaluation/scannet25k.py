"""ScanNet's scannet_frames_25k and its lists: FOLDER/scene/{color,depth,pose}/000100.*.

Beside them lie intrinsics_color.txt and intrinsics_depth.txt. Poses are T_scan_cam. The frames
of one scene are a ScanNet-style folder and so open with roomcad_core.datasets as well (as do
.sens files); here is what the evaluation needs of a whole tree of them.
"""

from pathlib import Path

import numpy as np

from roomcad_core.datasets.text_files import read_intrinsics, read_pose
from roomcad_core.pictures import encode_picture, read_color, read_uint16

FOLDERS = ("color", "depth", "pose")
INTRINSICS = {"color": "intrinsics_color.txt", "depth": "intrinsics_depth.txt"}
MILLIMETRES = 1000.0


class FrameTree:
    """Frames below `root`, read when asked for; poses and intrinsics are kept."""

    def __init__(self, root):
        self.root = Path(root)
        if not self.root.is_dir():
            raise FileNotFoundError(f"{self.root}: no such folder of ScanNet frames")
        self._poses, self._K = {}, {}

    def scenes(self):
        """Names of the scenes, sorted."""
        return sorted(p.name for p in self.root.iterdir() if (p / "color").is_dir())

    def frames(self, scene):
        """Names of a scene's colour images ("000100"), by number."""
        names = [p.stem for p in (self.root / scene / "color").glob("*.jpg")]
        return sorted(names, key=lambda name: (not name.isdecimal(), name.zfill(12)))

    def pose(self, scene, frame):
        """(4, 4) T_scan_cam; None where tracking was lost. FileNotFoundError if there is none."""
        key = scene, frame
        if key not in self._poses:
            self._poses[key] = read_pose(self.file("pose", scene, frame, ".txt"))
        return self._poses[key]

    def intrinsics(self, scene, kind="color"):
        """(3, 3) K of the "color" or "depth" images as they are on disk."""
        if (scene, kind) not in self._K:
            self._K[scene, kind] = read_intrinsics(self.root / scene / INTRINSICS[kind])
        return self._K[scene, kind]

    def color(self, scene, frame):
        """(H, W, 3) uint8 RGB."""
        return read_color(self.file("color", scene, frame, ".jpg"))

    def depth(self, scene, frame):
        """(H, W) float32 metres, 0 = missing."""
        millimetres = read_uint16(self.file("depth", scene, frame, ".png"))
        return millimetres.astype(np.float32) / np.float32(MILLIMETRES)

    def file(self, kind, scene, frame, suffix):
        """Path of one file; a frame called 100 is found as 000100, too."""
        folder = self.root / scene / kind
        path = folder / f"{frame}{suffix}"
        padded = folder / f"{str(frame).zfill(6)}{suffix}"
        return padded if not path.is_file() and padded.is_file() else path


def write_frame(root, scene, frame, color, depth, T_scan_cam):
    """Write one frame.

    Args:
        frame: its name, "000100". color: (H, W, 3) uint8 RGB. depth: (h, w) float32 [m], 0 =
            missing. T_scan_cam: (4, 4), or None for lost tracking.
    """
    folder = Path(root) / scene
    for kind in FOLDERS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    millimetres = np.clip(np.rint(depth * MILLIMETRES), 0, 65535).astype(np.uint16)
    (folder / "color" / f"{frame}.jpg").write_bytes(encode_picture(".jpg", color))
    (folder / "depth" / f"{frame}.png").write_bytes(encode_picture(".png", millimetres))
    lost = np.full((4, 4), -np.inf)
    pose = lost if T_scan_cam is None else T_scan_cam
    np.savetxt(folder / "pose" / f"{frame}.txt", pose, "%.9g")


def write_intrinsics(root, scene, K_color, K_depth):
    """Write both 4x4 intrinsics files of a scene from two (3, 3)."""
    for kind, K in (("color", K_color), ("depth", K_depth)):
        matrix = np.eye(4)
        matrix[:3, :3] = K
        np.savetxt(Path(root) / scene / INTRINSICS[kind], matrix, "%.9g")


def read_split(path):
    """Scene names of a scannetv2_{train,val}.txt, in file order.

    Raises ValueError naming the line of a repeated or malformed name.
    """
    scenes = []
    for number, words in _lines(path):
        if len(words) != 1:
            raise ValueError(f"{path}: line {number}: got {' '.join(words)!r}, expected one scene")
        if words[0] in scenes:
            raise ValueError(f"{path}: line {number}: {words[0]} occurs twice")
        scenes.append(words[0])
    if not scenes:
        raise ValueError(f"{path}: holds no scene")
    return tuple(scenes)


def write_split(scenes, path):
    """Write a split: one scene a line."""
    Path(path).write_text("".join(f"{scene}\n" for scene in scenes), encoding="utf-8")


def read_image_list(path):
    """((scene, frame), ...) of a val_images.txt with rows "scene frame"."""
    images = []
    for number, words in _lines(path):
        if len(words) != 2:
            raise ValueError(f"{path}: line {number}: got {' '.join(words)!r}, want SCENE FRAME")
        frame = Path(words[1]).stem
        images.append((words[0], frame.zfill(6) if frame.isdecimal() else frame))
    return tuple(images)


def write_image_list(images, path):
    """Write a val_images.txt from (scene, frame) pairs."""
    lines = (f"{scene} {frame}\n" for scene, frame in images)
    Path(path).write_text("".join(lines), encoding="utf-8")


def _lines(path):
    """(line number, words) of the lines that are not blank."""
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if line.split():
            yield number, line.split()
