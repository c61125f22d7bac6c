"""Alignments as RViz markers: the CAD mesh, coloured by class, more opaque the surer it is."""

import functools

import numpy as np
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from roomcad_core.classes import COLORS
from roomcad_core.glb import read_glb
from roomcad_core.types import OTHER
from roomcad_ros.convert import point_msg, pose_msg, vector_msg

TEXT_HEIGHT = 0.12  # [m]
LINE_WIDTH = 0.01  # [m]
NAMESPACES = ("cad", "label", "box")  # of the markers of one model; they share its id


def marker_array(alignments, library, T_frame_cam, header, config):
    """MarkerArray in the frame of `header`, which the camera is posed in by T_frame_cam (4, 4).

    It starts with DELETEALL, so that it replaces all there was: a viewer that joins late or
    misses a message never keeps a model that has vanished.
    """
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    for alignment in alignments:
        if alignment.score >= config.min_score:
            T_frame_obj = T_frame_cam @ alignment.T_cam_obj
            markers += model_markers(alignment, library, T_frame_obj, header, config)
    return MarkerArray(markers=markers)


def model_markers(alignment, library, T_frame_obj, header, config):
    """All markers of an Alignment posed by T_frame_obj (4, 4); their id is its object id."""
    markers = [mesh_marker(alignment, library, T_frame_obj, header, config)]
    markers += [text_marker(alignment, T_frame_obj, header)] if config.text else []
    markers += [box_marker(alignment, T_frame_obj, header)] if config.box else []
    return markers


def mesh_marker(alignment, library, T_frame_obj, header, config):
    """The library's mesh at pose and size of the alignment.

    By the name of its file, which RViz reads as it is; or, with `config.embed`, its triangles:
    Foxglove turns the axes of GLB files, and neither sees the files of another machine.
    """
    marker = Marker(header=header, ns="cad", id=int(alignment.object_id), action=Marker.ADD)
    marker.pose, mesh = pose_msg(T_frame_obj), library[alignment.cad_id].mesh.resolve()
    if config.embed:
        marker.type, marker.scale = Marker.TRIANGLE_LIST, vector_msg(np.ones(3))
        marker.points = [point_msg(corner) for corner in triangle_corners(mesh) * alignment.S]
    else:
        marker.type, marker.scale = Marker.MESH_RESOURCE, vector_msg(alignment.S)
        marker.mesh_resource, marker.mesh_use_embedded_materials = mesh.as_uri(), False
    opacity = config.min_opacity + (1 - config.min_opacity) * alignment.score
    marker.color = color(alignment.label, min(max(opacity, 0.0), 1.0))
    return marker


@functools.lru_cache(maxsize=256)
def triangle_corners(mesh):
    """(3 F, 3) corners of the triangles of a mesh file, one triangle after the other."""
    vertices, triangles, _ = read_glb(mesh)
    return vertices[triangles].reshape(-1, 3)


def text_marker(alignment, T_frame_obj, header):
    """Class and score, above the model."""
    marker = Marker(header=header, ns="label", id=int(alignment.object_id))
    marker.type, marker.action = Marker.TEXT_VIEW_FACING, Marker.ADD
    marker.text = f"{alignment.label} {alignment.score:.2f}"
    T = T_frame_obj.copy()
    T[:3, 3] += T[:3, 1] * (alignment.S[1] / 2 + TEXT_HEIGHT)  # y is the CAD's up axis
    marker.pose, marker.scale.z = pose_msg(T), TEXT_HEIGHT
    marker.color = color(alignment.label, 1.0)
    return marker


def box_marker(alignment, T_frame_obj, header):
    """The edges of the model's box."""
    marker = Marker(header=header, ns="box", id=int(alignment.object_id))
    marker.type, marker.action = Marker.LINE_LIST, Marker.ADD
    marker.pose, marker.scale.x = pose_msg(T_frame_obj), LINE_WIDTH
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    # An edge joins corners that differ in one coordinate.
    pairs = [(a, b) for a in corners for b in corners if (b - a).sum() == np.abs(b - a).sum() == 2]
    marker.points = [point_msg(end * alignment.S / 2) for pair in pairs for end in pair]
    marker.color = color(alignment.label, 1.0)
    return marker


def color(label, opacity):
    """std_msgs/ColorRGBA of a class."""
    r, g, b = (value / 255 for value in COLORS.get(label, COLORS[OTHER]))
    return ColorRGBA(r=r, g=g, b=b, a=float(opacity))
