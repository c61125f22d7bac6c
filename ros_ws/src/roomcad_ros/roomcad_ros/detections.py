"""Alignments as vision_msgs/Detection3DArray, where that package is installed."""

from roomcad_ros.convert import pose_msg, vector_msg


def detections_type():
    """The message class, or None without vision_msgs."""
    try:
        from vision_msgs.msg import Detection3DArray
    except ImportError:
        return None
    return Detection3DArray


def detections_msg(alignments, T_frame_cam, header, owners):
    """Detection3DArray in the frame of `header`, which the camera is posed in by T_frame_cam.

    A detection's id is that of its track in `owners` ({object id: track id}), else its object's.
    """
    from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose

    message = Detection3DArray(header=header)
    for alignment in alignments:
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = alignment.label
        result.hypothesis.score = float(alignment.score)
        result.pose.pose = pose_msg(T_frame_cam @ alignment.T_cam_obj)
        number = owners.get(alignment.object_id, alignment.object_id)
        detection = Detection3D(header=header, results=[result], id=str(number))
        detection.bbox.center, detection.bbox.size = result.pose.pose, vector_msg(alignment.S)
        message.detections.append(detection)
    return message
