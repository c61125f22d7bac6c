"""What the topics, services and frames of the nodes mean, for the tables of docs/ros.md."""

from roomcad_ros.settings import InputConfig

TOPICS = {
    "camera_info": "intrinsics of colour and depth; the newest one serves",
    "color/image_raw": "colour: rgb8, bgr8, rgba8, bgra8, mono8",
    "color/image_raw/compressed": "colour as JPEG or PNG (`color_transport`)",
    "depth/image_raw": "depth registered to colour: 16UC1 (mm) or 32FC1 (m)",
    "depth/image_raw/compressed": "depth as PNG of 16 bits (`depth_transport`)",
    "depth/image_raw/compressedDepth": "depth as image_transport compresses it (`depth_transport`)",
    "predicted/depth": "depth that the segment node predicts from colour, 16UC1 (mm), 0 = unsure"
    " (`input`: rgb)",
    "predicted/normals": "normals that it predicts, camera frame: value = 127.5 (1 - n)"
    " (`input`: rgb)",
    "points": "cloud in an optical frame, organised or not, instead of both images (`input`)",
    "objects": "segmented objects: mask, box, crop, gravity",
    "classified": "the same with classes, probabilities, retrieved CAD ids",
    "segmentation": "picture of the objects, drawn while somebody subscribes",
    "alignments": "the results, in the camera's frame; also when empty",
    "markers": "CAD meshes, labels, boxes in the fixed frame",
    "room": "all that is known of the room: the confirmed tracks in the fixed frame (`pose` maps"
    " into that, `track_id` is the id), with every frame, once a camera pose is known; needs"
    " `tracks.enabled`",
    "classes": "JSON: class -> colour, synset, CAD ids with their symmetries",
    "overlay": "CAD outlines on the colour image, drawn while somebody subscribes",
    "cloud": "thinned coloured cloud of the frame, made while somebody subscribes",
    "/diagnostics": "rates, p50 and p95 of each stage, drops and warnings by reason, tracks",
    "/tf": "where the camera is; out: a frame for each track (`track_frames`)",
    "/tf_static": "fixed transforms of the robot",
}
SERVICES = {
    "~/reset": "forget all tracks and take their markers away",
    "~/save_scene": "write the room as room.glb and room.json below `scene_folder`",
    "~/change_state": "life cycle: configure, activate, deactivate, cleanup, shutdown",
    "~/get_state": "life cycle: the present state",
    "~/get_available_states": "life cycle: all states",
    "~/get_available_transitions": "life cycle: what is possible now",
    "~/get_transition_graph": "life cycle: everything that ever is possible",
}
FRAMES = {
    f"`{InputConfig.world_frame}`": "fixed, z up (`world_frame`): markers, tracks, saved rooms",
    f"`{InputConfig.fallback_frame}`": "the same where the first is not known (`fallback_frame`)",
    "the images' frame_id": "optical: x right, y down, z forward; `alignments`, and everything"
    " where neither fixed frame is known",
    "gravity frame": "no TF frame; origin at the camera, z up: crops in `objects`, turned by"
    " `q_grav_cam`",
    "CAD frame": "x right, y up, z to the back, origin at the centre of the box; `pose` maps it,"
    " scaled by `size`, into the camera's frame",
    "`track_frames` + id": "one for each confirmed track, if asked for: its CAD frame in the fixed"
    " frame",
}
