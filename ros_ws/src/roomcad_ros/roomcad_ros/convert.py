"""Segmentations and alignments as messages and back."""

import array
import dataclasses
import math

import numpy as np
from cv_bridge import CvBridge
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from roomcad_msgs.msg import CadAlignment, CadAlignmentArray, ObjectArray
from roomcad_msgs.msg import Object as ObjectMsg

from roomcad_core import pose
from roomcad_core.types import Object, Segmentation
from roomcad_ros.health import BadFrame
from roomcad_ros.images import check_image, image_msg


def objects_msg(segmentation, header):
    """ObjectArray of a Segmentation."""
    floor_z = segmentation.floor_z
    return ObjectArray(
        header=header,
        instances=image_msg(segmentation.instances, "mono16", header),
        objects=[object_msg(obj) for obj in segmentation.objects],
        q_grav_cam=quaternion_msg(segmentation.T_grav_cam[:3, :3]),
        floor_z=math.nan if floor_z is None else float(floor_z),
    )


def object_msg(obj):
    """roomcad_msgs/Object of an Object."""
    # Bytes into array.array: assigning a NumPy array to a message is a thousand times slower.
    points = array.array("f", np.ascontiguousarray(obj.points, np.float32).tobytes())
    return ObjectMsg(
        id=int(obj.id),
        box=np.asarray(obj.box, np.float32),
        label=obj.label,
        score=float(obj.score),
        class_names=list(obj.class_scores),
        class_scores=[float(p) for p in obj.class_scores.values()],
        cad_ids=list(obj.cad_ids),
        points=points,
    )


def segmentation_of(msg):
    """Segmentation of an ObjectArray; BadFrame where it does not hold together."""
    check_image(msg.instances, {"mono16": 2}, "objects.instances")
    instances = CvBridge().imgmsg_to_cv2(msg.instances, "passthrough")
    q = msg.q_grav_cam
    q = np.array([q.x, q.y, q.z, q.w])
    if not np.isfinite(q).all() or abs(np.linalg.norm(q) - 1) > 1e-3:
        raise BadFrame("bad_objects", f"objects: q_grav_cam {q.tolist()} is no unit quaternion")
    T_grav_cam = pose.rigid(pose.rotation(q), np.zeros(3))
    floor_z = None if math.isnan(msg.floor_z) else msg.floor_z
    return Segmentation(instances, tuple(map(object_of, msg.objects)), T_grav_cam, floor_z)


def object_of(msg):
    """Object of a roomcad_msgs/Object."""
    if len(msg.points) % 3 or len(msg.class_names) != len(msg.class_scores):
        raise BadFrame(
            "bad_objects",
            f"objects: object {msg.id} has {len(msg.points)} point values (expected 3 a point),"
            f" {len(msg.class_names)} class names and {len(msg.class_scores)} class scores",
        )
    return Object(
        msg.id,
        np.array(msg.box, np.float32),
        np.array(msg.points, np.float32).reshape(-1, 3),
        msg.label,
        msg.score,
        dict(zip(msg.class_names, msg.class_scores, strict=True)),
        tuple(msg.cad_ids),
    )


def alignments_msg(alignments, library, header, owners):
    """CadAlignmentArray of Alignments; the library knows the symmetries.

    `owners`: {object id: track id}; objects without one are not followed.
    """
    found = [alignment_msg(a, library, owners.get(a.object_id, 0)) for a in alignments]
    return CadAlignmentArray(header=header, alignments=found)


def alignment_msg(alignment, library, track_id):
    """CadAlignment of an Alignment; track_id 0 = its object is not followed."""
    return CadAlignment(
        object_id=int(alignment.object_id),
        track_id=int(track_id),
        label=alignment.label,
        class_score=float(alignment.class_score),
        cad_id=alignment.cad_id,
        pose=pose_msg(alignment.T_cam_obj),
        size=vector_msg(alignment.S),
        score=float(alignment.score),
        symmetry=library[alignment.cad_id].symmetry,
    )


def room_msg(tracks, library, header):
    """CadAlignmentArray of tracks.Track in the world, whose frame the header names."""
    return CadAlignmentArray(header=header, alignments=[_in_room(t, library) for t in tracks])


def _in_room(track, library):
    alignment = dataclasses.replace(track.alignment(0), T_cam_obj=track.T_world_obj)
    return alignment_msg(alignment, library, track.id)


def pose_msg(T):
    """geometry_msgs/Pose of a rigid (4, 4) transform."""
    return Pose(position=point_msg(T[:3, 3]), orientation=quaternion_msg(T[:3, :3]))


def point_msg(v):
    """geometry_msgs/Point of (3,) values."""
    x, y, z = np.asarray(v, float).tolist()
    return Point(x=x, y=y, z=z)


def quaternion_msg(R):
    """geometry_msgs/Quaternion of a (3, 3) rotation."""
    x, y, z, w = pose.quaternion(R).tolist()
    return Quaternion(x=x, y=y, z=z, w=w)


def vector_msg(v):
    """geometry_msgs/Vector3 of (3,) values."""
    x, y, z = np.asarray(v, float).tolist()
    return Vector3(x=x, y=y, z=z)
