"""What the robot's networks are given in rooms."""

import dataclasses

from tqdm import tqdm

from roomcad_core.classify import make_classifier
from roomcad_core.config import PipelineConfig
from roomcad_core.datasets import open_dataset
from roomcad_core.engine.bench_feeds import Recorder
from roomcad_core.library import Library
from roomcad_core.segment import Segmenter
from roomcad_core.segment.instances import load_instance_network


def record(rooms, step):
    """Feeds of the networks that a robot runs by default, in float32.

    Args:
        rooms: datasets, in which every `step`-th frame is looked at.

    Returns:
        {name in the manifest: {room: [feeds]}}.
    """
    config = PipelineConfig()
    network = load_instance_network(config.segment.model)
    network.engine = seen = Recorder(network.engine)
    segment = Segmenter(config.segment, instances=network)
    # Without retrieval, whose views of the library would be feeds too.
    settings = dataclasses.replace(config.classify, retrieved=0, precision="f32")
    classify = make_classifier(settings, Library.load(config.library))
    classify.network.engine = named = Recorder(classify.network.engine)
    recorders = {config.segment.model: seen, config.classify.model: named}
    found = {name: {} for name in recorders}
    for room in rooms:
        dataset = open_dataset(room)
        for i in tqdm(range(0, len(dataset), step), dataset.name, unit="frame", disable=None):
            classify(segment(dataset[i]))
        for name, recorder in recorders.items():
            found[name][str(room)], recorder.feeds = recorder.feeds, []
    return found
