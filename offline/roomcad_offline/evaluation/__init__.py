"""Scan2CAD's evaluators, per-image accuracy and mesh AP on files in their official layouts.

Files are read by annotations, appearances, csv_files, roca_files, roca_instances, scannet25k and
sens_writer into the structs of `records`. Per scene: scene_rules (switches and presets),
scene_input, scene_steps, scene_eval, scene_report. Per image: the modules image_* and ap_mesh.
"""
