"""Alignments as vision_msgs/Detection3DArray, where that package is installed."""

from roomcad_ros.convert import pose_msg, vector_msg


def detections_type():
    """The message class, or None without vision_msgs."""
    try:
        from vision_msgs.msg import Detection3DArray
    except ImportError:
        return None
    return Detection3DArray


def detections_msg(alignments, T_frame_cam, header):
    """Detection3DArray in the frame of `header`, which the camera is posed in by T_frame_cam."""
    from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose

    message = Detection3DArray(header=header)
    for alignment in alignments:
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = alignment.label
        result.hypothesis.score = float(alignment.score)
        result.pose.pose = pose_msg(T_frame_cam @ alignment.T_cam_obj)
        detection = Detection3D(header=header, results=[result], id=str(alignment.object_id))
        detection.bbox.center, detection.bbox.size = result.pose.pose, vector_msg(alignment.S)
        message.detections.append(detection)
    return message
