"""roomcad-offline run INPUT OUT: the pipeline in one process, without ROS, with a report."""

from pathlib import Path

from tqdm import tqdm

from roomcad_core import config as configs
from roomcad_core.datasets import open_dataset
from roomcad_core.pipeline import Pipeline
from roomcad_offline.report import write_report


def add_parser(subparsers):
    """Add `run` to the command line."""
    parser = subparsers.add_parser("run", help="place CADs in a recorded sequence, without ROS")
    parser.add_argument("input", type=Path, help="ScanNet-style folder, .sens, bag, or room")
    parser.add_argument("out", type=Path, help="folder for table, pictures and configuration")
    parser.add_argument("--config", type=Path, help="YAML of settings that differ from defaults")
    parser.add_argument("--every", type=int, default=1, help="serve every n-th frame")
    parser.set_defaults(run=main)


def main(args):
    """Run the pipeline over a dataset and write the report; returns 0."""
    if args.every < 1:
        raise ValueError(f"--every: got {args.every}, expected at least 1")
    config = configs.load(args.config) if args.config else configs.PipelineConfig()
    dataset = open_dataset(args.input)
    pipeline = Pipeline(config)
    follower = pipeline.follower
    args.out.mkdir(parents=True, exist_ok=True)
    configs.save(config, args.out / "config.yaml")
    alignments = {}
    for index in tqdm(range(0, len(dataset), args.every), "align", unit="frame"):
        found, _ = pipeline(dataset[index])
        shown, owners = follower.shown(found)
        alignments[index] = shown, tuple(owners.get(a.object_id, 0) for a in shown)
    room = follower.room() if follower.follows else None
    write_report(dataset, alignments, room, pipeline.library, args.out)
    print((args.out / "table.md").read_text())
    return 0
