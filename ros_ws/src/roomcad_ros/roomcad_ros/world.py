"""Where the camera is: its pose in a fixed z-up frame, from TF."""

import numpy as np
from rclpy.duration import Duration
from rclpy.time import Time
from tf2_ros import Buffer, TransformException, TransformListener

from roomcad_core import pose
from roomcad_ros.health import BadFrame


class World:
    """Looks the camera up in the first known of the world frames."""

    def __init__(self, node, inputs, health):
        """`inputs`: Parameters of InputConfig."""
        self._inputs, self._health = inputs, health
        self._buffer = Buffer()
        self._listener = TransformListener(self._buffer, node)

    def close(self):
        """Stop listening."""
        self._listener.unregister()

    def forget(self):
        """Forget all moving frames: time went back, and they speak of before."""
        self._buffer.clear()

    def camera_pose(self, header):
        """(frame name, T_world_cam), or (None, None) with a warning where TF does not know.

        Call it outside the executor's thread: it waits for the transform of that stamp.
        """
        config = self._inputs.config
        for name in filter(None, (config.world_frame, config.fallback_frame)):
            if self._buffer.can_transform(name, header.frame_id, Time()):
                return self._lookup(name, header)
        names = f"'{config.world_frame}' or '{config.fallback_frame}'"
        text = f"no TF from {names} to '{header.frame_id}'; up comes from the floor plane"
        self._health.warn("no_tf", text)
        return None, None

    def _lookup(self, name, header):
        stamp, wait = Time.from_msg(header.stamp), Duration(seconds=self._inputs.config.tf_timeout)
        try:
            found = self._buffer.lookup_transform(name, header.frame_id, stamp, wait)
        except TransformException as error:
            self._health.warn("no_tf", f"{error}; up comes from the floor plane")
            return None, None
        return name, rigid_of(found.transform, header.frame_id)


def rigid_of(transform, frame_id):
    """(4, 4) rigid transform of a geometry_msgs/Transform; BadFrame where it is none."""
    t, q = transform.translation, transform.rotation
    t, q = np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w])
    if not (np.isfinite(t).all() and np.isfinite(q).all()) or abs(np.linalg.norm(q) - 1) > 0.01:
        text = f"tf of '{frame_id}': translation {t.tolist()}, rotation {q.tolist()}"
        raise BadFrame("bad_tf", text)
    return pose.rigid(pose.rotation(q), t)
