"""The real measure: real rooms through the shipped pipeline, and simulated ones beside them.

sources     which rooms there are below the folders that are named
room        one of them: frames, truth of each, true boxes, CAD annotations
predict     the robot's path through a room, once; everything it showed goes into files
frames      segmentation and classes of single frames against true masks
objects     the final shown objects of a room against true boxes
cads        Scan2CAD accuracy, and given more and more of the truth
evaluate    all of it for all rooms, with intervals
report, pictures     real.json, real.md and what people look at
gate        a few fixed frames against pinned figures, for `make test`
"""
