"""Fixtures of the offline tests."""

import json

import numpy as np
import pytest

SIZE = (48, 64)  # height, width of the maps [px]
K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
ROOM_EYE = 1.2  # height of the camera in write_room's rooms [m]
# It looks along the world's x axis.
ROOM_CAMERA = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, ROOM_EYE], [0, 0, 0, 1.0]])


@pytest.fixture
def make_batch():
    """make_batch(images, slots, points, seed): a Batch of coloured armchairs in mid-air."""
    torch = pytest.importorskip("torch")
    from roomcad_offline.multi_sparc.batch import Batch

    def make(images=2, slots=3, points=60, seed=0):
        rng = np.random.default_rng(seed)
        made = [_picture(slots, points, rng) for _ in range(images)]
        stacked = {name: np.stack([picture[name] for picture in made]) for name in made[0]}
        tensors = {name: torch.from_numpy(value) for name, value in stacked.items()}
        kinds = {torch.float64: torch.float32}
        return Batch(**{n: t.to(kinds.get(t.dtype, t.dtype)) for n, t in tensors.items()})

    return make


@pytest.fixture
def write_recording():
    """write_recording(folder, K, depths, colors=None): a ScanNet-style folder; poses are still."""
    import cv2

    def write(folder, K, depths, colors=None):
        for name in ("color", "depth", "pose", "intrinsic"):
            (folder / name).mkdir(parents=True)
        matrix = np.eye(4)
        matrix[:3, :3] = K
        for kind in ("color", "depth"):
            np.savetxt(folder / "intrinsic" / f"intrinsic_{kind}.txt", matrix)
        for i, depth in enumerate(depths):
            color = np.full((*depth.shape, 3), 90, np.uint8) if colors is None else colors[i]
            millimetres = np.clip(np.rint(depth * 1000), 0, 65535).astype(np.uint16)
            cv2.imwrite(str(folder / "color" / f"{i}.png"), color[..., ::-1])
            cv2.imwrite(str(folder / "depth" / f"{i}.png"), millimetres)
            np.savetxt(folder / "pose" / f"{i}.txt", np.eye(4))

    return write


def _picture(slots, points, rng):
    """One image; its last slot is empty if there are several."""
    maps = {name: np.zeros((c, *SIZE)) for name, c in (("rgb", 3), ("normal", 3), ("depth", 1))}
    instance = np.zeros(SIZE, np.int16)
    objects = [_thing(slot, slots, points, rng) for slot in range(slots)]
    seen = []
    for slot, (thing, colour) in enumerate(objects):
        if not thing["valid"]:
            continue
        x, n = _surface(4000, rng)
        cam = (x * thing["S_gt"]) @ thing["R_gt"].T + thing["T_gt"]
        normal = (n / thing["S_gt"]) @ thing["R_gt"].T
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        pixel = cam @ K.T
        pixel = pixel[:, :2] / pixel[:, 2:]
        thing["box"] = np.concatenate([pixel.min(0), pixel.max(0)])
        seen.append((cam[:, 2], np.rint(pixel).astype(int), normal, colour + 0.3 * x, slot))
    z, pixel, normal, colour = (np.concatenate([s[i] for s in seen]) for i in range(4))
    slot = np.concatenate([np.full(len(s[0]), s[4]) for s in seen])
    inside = ((pixel >= 0) & (pixel < SIZE[::-1])).all(1)
    order = np.argsort(-z)[inside[np.argsort(-z)]]  # far to near: the nearest is written last
    u, v = pixel[order].T
    maps["rgb"][:, v, u] = np.clip(colour[order], 0, 1).T
    maps["normal"][:, v, u] = normal[order].T
    maps["depth"][0, v, u] = z[order]
    instance[v, u] = slot[order] + 1
    per_object = {name: np.stack([o[0][name] for o in objects]) for name in objects[0][0]}
    return {**maps, "instance": instance, "K": K, "up": np.array([0.0, -1, 0]), **per_object}


def _thing(slot, slots, points, rng):
    """Per-object fields and the colour of an armchair left, middle or right of the image."""
    yaw = rng.uniform(-np.pi, np.pi)
    c, s = np.cos(yaw), np.sin(yaw)
    size = rng.uniform(0.4, 0.9, 3)
    x, n = _surface(points, rng)
    side = 1.4 * ((slot + 0.5) / slots - 0.5)
    fields = {
        "valid": np.array(slots == 1 or slot < slots - 1),
        "box": np.zeros(4),
        "cad_points": x,
        "cad_normals": n,
        "symmetry": np.array(1),
        "size": size * rng.uniform(0.9, 1.1, 3),
        "size_low": np.full(3, 0.3),
        "size_high": np.full(3, 1.0),
        "T_gt": np.array([side, rng.uniform(-0.2, 0.2), rng.uniform(1.8, 2.6)]),
        "R_gt": np.diag([1.0, -1, -1]) @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "S_gt": size,
    }
    return fields, rng.uniform(0.3, 0.7, 3)


def _surface(n, rng):
    """Points and normals of an armchair: a seat and, on its rear, a back (in CAD axes: z)."""
    parts = np.array([[[-0.5, -0.5, -0.5], [0.5, 0, 0.5]], [[-0.5, 0, 0.2], [0.5, 0.5, 0.5]]])
    low, high = parts[rng.integers(0, 2, n)].swapaxes(0, 1)
    axis, sign = rng.integers(0, 3, n), rng.choice([-1.0, 1.0], n)
    normals = np.zeros((n, 3))
    normals[np.arange(n), axis] = sign
    x = rng.uniform(low, high)
    return np.where(normals, np.where(normals > 0, high, low), x), normals


@pytest.fixture
def write_room(write_recording):
    """write_room(folder, seed): two frames of a chair and a table before a wall."""

    import cv2

    K = np.array([[110.0, 0, 63.5], [0, 110, 47.5], [0, 0, 1]])

    def write(folder, seed):
        rng = np.random.default_rng(seed)
        rows = np.arange(96.0)[:, None].repeat(128, 1)
        with np.errstate(divide="ignore"):
            room = np.where(rows > 47.5, np.minimum(6, ROOM_EYE * 110 / (rows - 47.5)), 6)
        depths, masks = [], []
        for _ in range(2):
            depth, ids = room.copy(), np.zeros(room.shape, np.uint16)
            for i, (width, height) in enumerate(((26, 44), (50, 26)), 1):
                z, x = rng.uniform(2.0, 2.4), rng.integers(4, 30) + 50 * (i - 1)
                foot = int(47.5 + ROOM_EYE * 110 / z)
                depth[foot - height : foot, x : x + width] = z
                ids[foot - height : foot, x : x + width] = i
            depths.append(depth)
            masks.append(ids)
        write_recording(folder, K, depths)
        (folder / "instance").mkdir()
        for i, ids in enumerate(masks):
            cv2.imwrite(str(folder / "instance" / f"{i}.png"), ids)
            np.savetxt(folder / "pose" / f"{i}.txt", ROOM_CAMERA)
        objects = [{"id": 1, "label": "chair"}, {"id": 2, "label": "table"}]
        (folder / "room.json").write_text(json.dumps({"objects": objects, "clutter": []}))
        unit = {"translation": [0, 0, 0], "rotation": [1, 0, 0, 0], "scale": [1, 1, 1]}
        entry = {"id_scan": folder.name, "trs": unit, "aligned_models": []}
        (folder / "full_annotations.json").write_text(json.dumps([entry]))
        return folder

    return write
