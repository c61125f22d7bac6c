"""A contact sheet of a Batch: colours, depth, normals, masks with boxes, true CAD points."""

from pathlib import Path

import numpy as np

from roomcad_offline.multi_sparc.scenes.camera import project

SLOT_COLOURS = np.array(
    [[231, 76, 60], [46, 204, 113], [52, 152, 219], [241, 196, 15], [155, 89, 182], [26, 188, 156]]
)
FARTHEST = 6.0  # [m] end of the depth colours
SHOWN = 200  # CAD points drawn of an object


def write_sheet(batch, path, scale=2):
    """Write one row of pictures an image of the batch to a PNG, enlarged by `scale`."""
    import cv2

    rows = [np.concatenate(panels(batch, i, scale), 1) for i in range(len(batch))]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


def panels(batch, i, scale):
    """Colours, depth, normals, masks and CAD points of image `i`, (H, W, 3) uint8 RGB each."""
    import cv2

    rgb = _to_bytes(batch.rgb[i])
    pictures = [rgb, _depth_picture(batch.depth[i, 0]), _to_bytes(batch.normal[i] * 0.5 + 0.5)]
    pictures += [_mask_picture(batch.instance[i], rgb), rgb // 2]
    pictures = [
        cv2.resize(p, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST) for p in pictures
    ]
    for slot in batch.valid[i].nonzero().flatten().tolist():
        colour = tuple(int(c) for c in SLOT_COLOURS[slot % len(SLOT_COLOURS)])
        box = ((batch.box[i, slot].cpu().numpy() + 0.5) * scale).round().astype(int)
        cv2.rectangle(pictures[3], tuple(box[:2]), tuple(box[2:]), colour, 1)
        for u, v in _cad_pixels(batch, i, slot):
            centre = round((u + 0.5) * scale), round((v + 0.5) * scale)
            cv2.circle(pictures[4], centre, 1, colour, -1)
    return pictures


def _cad_pixels(batch, i, slot):
    """(n, 2) pixels of true CAD points that face the camera."""
    R, S, T = batch.R_gt[i, slot], batch.S_gt[i, slot], batch.T_gt[i, slot]
    points = batch.cad_points[i, slot, :SHOWN] * S @ R.T + T
    normals = batch.cad_normals[i, slot, :SHOWN] / S @ R.T
    facing = ((points * normals).sum(1) < 0) & (points[:, 2] > 0.1)
    uv = project(points[facing][None], batch.K[i : i + 1])[0].cpu().numpy()
    return uv[(np.abs(uv) < 1000).all(1)]


def _to_bytes(image):
    """(H, W, 3) uint8 of a (3, H, W) tensor in 0-1."""
    return (image.clamp(0, 1) * 255).byte().permute(1, 2, 0).cpu().numpy().copy()


def _depth_picture(depth):
    """Colours of a depth map; missing is black."""
    import cv2

    depth = depth.cpu().numpy()
    shade = (255 * np.clip(1 - depth / FARTHEST, 0, 1)).astype(np.uint8)
    picture = cv2.applyColorMap(shade, cv2.COLORMAP_TURBO)[..., ::-1]
    return np.where(depth[..., None] > 0, picture, 0).astype(np.uint8)


def _mask_picture(instance, rgb):
    """Slots in their colours over the dimmed picture."""
    slot = instance.cpu().numpy().astype(int) - 1
    colour = SLOT_COLOURS[slot % len(SLOT_COLOURS)]
    return np.where(slot[..., None] >= 0, 0.7 * colour + 0.3 * rgb, rgb / 2).astype(np.uint8)
