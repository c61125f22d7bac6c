"""Settings of the synthetic scenes; the only place where a default of theirs is written.

Sizes in pixels are those of the maps. A share is a probability; 0 switches its effect off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from roomcad_core.config import Checked, setting


@dataclass(frozen=True)
class SceneConfig(Checked):
    """What synthetic scenes are made of; equal configs, banks and seeds give equal batches."""

    # Picture
    width: int = setting(160, "width of the maps [px]", 16, 640)
    height: int = setting(120, "height of the maps [px]", 12, 480)
    focal_low: float = setting(525.0, "shortest focal length at 640 px width [px]", 100.0, 2000.0)
    focal_high: float = setting(580.0, "longest focal length at 640 px width [px]", 100.0, 2000.0)
    centre_shift: float = setting(0.015, "principal point off the middle, of the width", 0.0, 0.2)
    # Contents
    n_mul: int = setting(5, "object slots of an image", 1, 32)
    fewest: int = setting(1, "objects placed in an image at least", 1, 32)
    others: int = setting(1, "objects more than slots, at most; nobody detects them", 0, 16)
    points: int = setting(1024, "CAD points of an object", 1, 4096)
    class_balance: float = setting(0.5, "0 = models equally often, 1 = classes", 0.0, 1.0)
    scale_low: float = setting(0.8, "smallest size factor of a CAD axis", 0.2, 1.0)
    scale_high: float = setting(1.25, "largest size factor of a CAD axis", 1.0, 5.0)
    # Poses
    room_share: float = setting(0.6, "scenes that are room-like; the rest is random", 0.0, 1.0)
    nearest: float = setting(0.7, "distance of an object's centre at least [m]", 0.3, 5.0)
    farthest: float = setting(5.0, "distance of an object's centre at most [m]", 0.5, 20.0)
    clearance: float = setting(0.3, "free space around the camera [m]", 0.1, 2.0)
    tries: int = setting(24, "candidate places of an object", 1, 100)
    camera_low: float = setting(0.4, "camera above the floor at least [m]", 0.1, 3.0)
    camera_high: float = setting(1.8, "camera above the floor at most [m]", 0.1, 3.0)
    roll: float = setting(0.04, "deviation of the camera's roll in rooms [rad]", 0.0, 1.0)
    aligned_share: float = setting(0.7, "room objects that stand square to the walls", 0.0, 1.0)
    back_share: float = setting(0.5, "of those, how many stand with the back to a wall", 0.0, 1.0)
    room_low: float = setting(1.5, "camera to a wall at least [m]", 0.5, 10.0)
    room_high: float = setting(5.0, "camera to a wall at most [m]", 1.0, 20.0)
    beside_share: float = setting(0.5, "room objects put beside another one", 0.0, 1.0)
    stand_share: float = setting(0.8, "monitors that stand on furniture if there is any", 0.0, 1.0)
    random_pitch: float = setting(1.0, "random scenes look down by at most this [rad]", 0.0, 1.5)
    random_roll: float = setting(0.3, "random scenes roll by at most this [rad]", 0.0, 3.2)
    random_tilt: float = setting(0.12, "random objects lean by at most this [rad]", 0.0, 1.0)
    # What else is in the picture
    clutter: int = setting(6, "boxes, cylinders and blobs in an image at most", 0, 50)
    wall_share: float = setting(0.75, "sides of a room that are walls", 0.0, 1.0)
    bare_share: float = setting(0.3, "random scenes without floor and walls", 0.0, 1.0)
    # Light
    own_colour: float = setting(0.35, "objects in the colours of their mesh", 0.0, 1.0)
    texture: float = setting(0.12, "strength of surface patterns, of full scale", 0.0, 1.0)
    exposure: float = setting(0.25, "deviation of the log brightness", 0.0, 2.0)
    grain: float = setting(0.03, "strongest colour noise, of full scale", 0.0, 1.0)
    # Depth and normals
    clean_share: float = setting(0.1, "images with perfect depth", 0.0, 1.0)
    predicted_share: float = setting(
        0.0, "images whose depth looks predicted from colour", 0.0, 1.0
    )
    tof_share: float = setting(0.4, "other images of a time-of-flight camera", 0.0, 1.0)
    depth_noise: float = setting(1.0, "strength of depth noise and quantisation", 0.0, 10.0)
    holes: float = setting(1.0, "strength of missing depth", 0.0, 10.0)
    depth_normals: float = setting(0.6, "images with normals from the noisy depth", 0.0, 1.0)
    normal_radius: int = setting(1, "those average slopes over 2 of this + 1 [px]", 1, 5)
    normal_noise: float = setting(0.08, "strongest smooth error of ideal normals", 0.0, 1.0)
    # Detector
    min_pixels: int = setting(40, "objects with fewer visible pixels are not detected", 1, 10000)
    min_seen: float = setting(0.08, "visible pixels at least, of the whole box", 0.0, 1.0)
    missed: float = setting(0.03, "objects that the detector misses", 0.0, 1.0)
    mask_warp: float = setting(0.8, "deviation of wavy mask borders [px]", 0.0, 10.0)
    mask_grow: float = setting(0.5, "objects whose mask is a pixel too wide or narrow", 0.0, 1.0)
    mask_bleed: float = setting(0.15, "objects whose mask spills over its surroundings", 0.0, 1.0)
    mask_holes: float = setting(0.15, "objects whose mask misses patches", 0.0, 1.0)
    box_jitter: float = setting(0.03, "deviation of a box edge, of the side", 0.0, 1.0)
    box_amodal: float = setting(0.2, "boxes around the hidden parts too", 0.0, 1.0)

    def __post_init__(self):
        super().__post_init__()
        for low, high in (
            ("focal_low", "focal_high"),
            ("fewest", "n_mul"),
            ("nearest", "farthest"),
            ("camera_low", "camera_high"),
            ("room_low", "room_high"),
        ):
            if getattr(self, low) > getattr(self, high):
                got = f"{getattr(self, low)} > {getattr(self, high)}"
                raise ValueError(f"SceneConfig.{low}: expected at most {high}, got {got}")

    def ideal(self):
        """The same scenes through a perfect camera and a perfect detector."""
        return replace(
            self,
            clean_share=1.0,
            predicted_share=0.0,
            depth_normals=0.0,
            normal_noise=0.0,
            exposure=0.0,
            grain=0.0,
            texture=0.0,
            missed=0.0,
            mask_warp=0.0,
            mask_grow=0.0,
            mask_bleed=0.0,
            mask_holes=0.0,
            box_jitter=0.0,
            box_amodal=0.0,
        )
