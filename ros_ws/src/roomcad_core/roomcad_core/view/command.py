"""`roomcad view`: a result as a recording that Foxglove shows, on a machine without ROS."""

from pathlib import Path

from roomcad_core.library import Library


def view(args):
    """Write the recording and say what is in it."""
    from roomcad_core.view.recording import write_recording
    from roomcad_core.view.source import open_result

    if args.every < 1:
        raise ValueError(f"--every: got {args.every}, expected at least 1")
    result = open_result(args.result, args.sequence)
    out = args.out or Path(f"{args.result.resolve().stem}_view.mcap")
    counts = write_recording(result, Library.load(args.library), out, args.every)
    size = out.stat().st_size / 1e6
    print(f"written: {out} ({size:.1f} MB)")
    print(", ".join(f"{topic} {n}" for topic, n in sorted(counts.items())))
    print("Open it in Foxglove or Lichtblick; launch/roomcad.foxglove.json is a layout for it.")


def add_view(commands):
    """The `view` sub-command."""
    parser = commands.add_parser("view", help="a result as a recording (MCAP) for Foxglove")
    parser.add_argument("result", type=Path, help="saved room, folder of a report or demo, or bag")
    parser.add_argument("--sequence", type=Path, help="its images: dataset folder, .sens, or bag")
    parser.add_argument("--out", type=Path, help="file to write; default: RESULT_view.mcap, here")
    parser.add_argument("--library", default="", help="its CAD library; default: the built-in")
    parser.add_argument("--every", type=int, default=1, help="every n-th frame (default 1)")
    parser.set_defaults(run=view)
