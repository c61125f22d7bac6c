"""How much of two upright boxes in the world lies in both."""

import cv2
import numpy as np

from roomcad_core.pose import yaw_of


def share_inside(T_a, S_a, T_b, S_b):
    """Share of the smaller of two upright boxes, as of box_iou, that lies in the other one."""
    return _common(T_a, S_a, T_b, S_b) / max(min(np.prod(S_a), np.prod(S_b)), 1e-9)


def box_iou(T_a, S_a, T_b, S_b):
    """Overlap (intersection over union) of two upright boxes given as CAD poses, z-up frame."""
    common = _common(T_a, S_a, T_b, S_b)
    return float(common / max(np.prod(S_a) + np.prod(S_b) - common, 1e-9))


def _common(T_a, S_a, T_b, S_b):
    """Volume [m3] shared by two upright boxes."""
    if np.linalg.norm(T_a[:2, 3] - T_b[:2, 3]) > np.hypot(S_a, S_b).sum():
        return 0.0
    kind, corners = cv2.rotatedRectangleIntersection(_rectangle(T_a, S_a), _rectangle(T_b, S_b))
    if kind == cv2.INTERSECT_NONE:
        return 0.0
    top = min(T_a[2, 3] + S_a[1] / 2, T_b[2, 3] + S_b[1] / 2)
    bottom = max(T_a[2, 3] - S_a[1] / 2, T_b[2, 3] - S_b[1] / 2)
    return float(cv2.contourArea(cv2.convexHull(corners)) * max(top - bottom, 0.0))


def _rectangle(T_world_obj, S):
    """Footprint of an upright CAD pose as OpenCV's rotated rectangle."""
    center = T_world_obj[:2, 3].astype(float)
    yaw = np.degrees(yaw_of(T_world_obj[:3, :3]))
    return (tuple(center), (float(S[0]), float(S[2])), float(yaw))
