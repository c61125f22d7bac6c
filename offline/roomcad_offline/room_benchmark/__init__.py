"""The room benchmark: simulated rooms in the layouts of ScanNet25k, Scan2CAD and ROCA.

`config` settings and names of files, `build` makes the folder, `predict` runs a method over its
frames once, `score` judges the written files.
"""
