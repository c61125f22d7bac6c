"""Depth and surface normals of a colour image: data, networks, training, evaluation, shipping.

The paper's section 3.1 and supplement A; roomcad_core.rgb_geometry runs what is shipped.
"""
