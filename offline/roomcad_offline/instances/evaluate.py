"""Judges ways of finding instances in simulated rooms: whole images, as the robot sees them."""

import json
import time
from pathlib import Path

import numpy as np

from roomcad_core.config import SegmentConfig
from roomcad_core.datasets import open_dataset
from roomcad_core.library import models_folder
from roomcad_core.segment import Segmenter
from roomcad_core.segment.instances import load_instance_network
from roomcad_offline.instances.pictures import draw_frames, spread
from roomcad_offline.instances.scores import HELD, LEAST, MATCH, PIECE, Scores
from roomcad_offline.tables.markdown import number, table

DEFAULT = "default"  # the robot's: its network, engine and precision
EXPORT = "export"  # folder of a run with its network as the robot takes it
EXAMPLES = 8  # frames in the pictures


def make_method(name, models=None):
    """(what results call it, Segmenter) of DEFAULT, a run's folder, a network's name.

    Args:
        name: text.
        models: folder of the manifest that has the name; None = the library's.

    Raises:
        FileNotFoundError, ValueError: there is no such network, or it is damaged.
    """
    config = SegmentConfig()
    if name == DEFAULT:
        how = {"folder": models or models_folder(), "precision": config.precision}
        network = load_instance_network(config.model, config.engine, **how)
        return name, Segmenter(config, instances=network)
    folder = Path(name)
    if folder.is_dir():
        from roomcad_offline.instances.export import export
        from roomcad_offline.instances.train import load_trained

        models, name = folder / EXPORT, folder.resolve().name
        export(load_trained(folder).network, name, models)
    network = load_instance_network(name, folder=models or models_folder())
    return name, Segmenter(config, instances=network)


def judge_methods(methods, rooms, most=None):
    """{name: scores and median seconds} of Segmenters on the frames of rooms.

    Args:
        methods: {name: Segmenter}.
        rooms: folders of simulated rooms.
        most: frames of each room, evenly spread; None = all.

    Raises:
        ValueError: a folder is no simulated room.
    """
    from tqdm import tqdm

    scores = {name: Scores() for name in methods}
    seconds = {name: [] for name in methods}
    for folder in tqdm(rooms, "judged", unit="room"):
        dataset = open_room(folder)
        labels = {o["id"]: o["label"] for o in dataset.room["objects"]}
        for i in spread(len(dataset), most):
            frame = dataset[i]
            for name, segment in methods.items():
                start = time.perf_counter()
                found = segment(frame)
                seconds[name].append(time.perf_counter() - start)
                scores[name].add(frame.instances, found.instances, frame.depth > 0, labels)
    return {
        name: {"frames": len(seconds[name]), **scores[name].result(),
               "seconds_median": float(np.median(seconds[name]))}
        for name in methods
    }  # fmt: skip


def open_room(folder):
    """The dataset of a simulated room; ValueError if the folder is another one."""
    dataset = open_dataset(folder)
    if not hasattr(dataset, "room"):
        raise ValueError(f"{folder}: got {type(dataset).__name__}, expected a simulated room")
    return dataset


def write_results(methods, rooms, out, most=None, sequence=None):
    """Judge Segmenters, write segmentation.json, .md and pictures into `out`; the markdown text.

    Args:
        methods: {name: Segmenter}.
        rooms: folders of simulated rooms.
        out: folder, made if missing.
        most: frames of each room at most.
        sequence: a recorded dataset that is drawn too, without truth, and the picture's file,
            which may lie elsewhere as others' recordings are not ours to publish; None = none.
    """
    out = Path(out)
    found = judge_methods(methods, rooms, most)
    out.mkdir(parents=True, exist_ok=True)
    rooms_names = [Path(room).resolve().name for room in rooms]
    record = {
        "data": {"folder": Path(rooms[0]).resolve().parent.name, "rooms": rooms_names},
        "rule": {"match_iou": MATCH, "least_share_of_image": LEAST, "merged_from": HELD,
                 "split_from": PIECE},
        "methods": found,
        "picture": "segmentation_rooms.png",
    }  # fmt: skip
    chosen = [Path(rooms[int(i)]) for i in spread(len(rooms), EXAMPLES)]
    draw_frames([middle(open_room(room)) for room in chosen], methods, out / record["picture"])
    if sequence is not None:
        dataset, picture = open_dataset(sequence[0]), Path(sequence[1])
        frames = [dataset[int(i)] for i in spread(len(dataset), EXAMPLES)]
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw_frames(frames, methods, picture)
    text = markdown(record)
    (out / "segmentation.json").write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")
    (out / "segmentation.md").write_text(text)
    return text


def middle(dataset):
    """The Frame in the middle of a dataset."""
    return dataset[len(dataset) // 2]


def markdown(record):
    """What write_results has judged as a page."""
    methods, rule = record["methods"], record["rule"]
    frames = next(iter(methods.values()))["frames"]
    first = next(iter(methods.values()))["objects_by_class"]
    head = ["method", "recall", "precision", "mean IoU", "merged", "of these chair and table",
            "split", "objects", "ms / frame"]  # fmt: skip
    rows = [
        [name, number(m["recall"], 3), number(m["precision"], 3), number(m["mean_iou"], 3),
         m["merged"], m["merged_chair_table"], m["split"], m["objects"],
         number(1000 * m["seconds_median"], 0)] for name, m in methods.items()
    ]  # fmt: skip
    by_class = [
        [label, n, *(number(m["recall_by_class"][label], 2) for m in methods.values())]
        for label, n in first.items()
    ]
    lines = [
        "# Instances found in single frames",
        "",
        f"{len(record['data']['rooms'])} simulated rooms ({record['data']['folder']}), {frames} "
        f"frames. Recall and precision at IoU {rule['match_iou']}, over pixels with a depth, of "
        f"furniture that shows at least {100 * rule['least_share_of_image']:.1f} % of the image; "
        "what is found on other things is neither right nor wrong. Merged: a found instance that "
        f"holds {100 * rule['merged_from']:.0f} % or more of two or more pieces of furniture. "
        f"Split: a piece of furniture with {100 * rule['split_from']:.0f} % or more in each of "
        "two or more found instances.",
        "",
        *table(head, rows),
        "",
        "Recall by class:",
        "",
        *table(["class", "objects", *methods], by_class),
        "",
    ]
    if record["picture"]:
        lines += [f"![simulated frames and what is found in them]({record['picture']})", ""]
    return "\n".join(lines)
