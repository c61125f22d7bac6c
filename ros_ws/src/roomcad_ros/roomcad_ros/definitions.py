"""Message definitions for bags, read from the .msg files that are installed."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory


def type_store(kind):
    """rosbags type store that knows message type `kind` ("package/msg/Name") and all in it.

    Raises FileNotFoundError where a definition is not installed.
    """
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    waiting = [kind]
    types = {}
    while waiting:
        name = waiting.pop()
        if name in store.fielddefs or name in types:
            continue
        types |= get_types_from_msg(definition(name), name)
        waiting += sorted(_mentioned(types[name][1]))
    if types:
        store.register(types)
    return store


def definition(kind):
    """Text of the installed .msg file of `kind`."""
    package, _, name = kind.split("/")
    path = Path(get_package_share_directory(package)) / "msg" / f"{name}.msg"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no definition of {kind}")
    return path.read_text()


def _mentioned(fields):
    """Message types inside field definitions: [(name, (node type, description))]."""
    from rosbags.interfaces import Nodetype

    found = set()
    for _, (node, description) in fields:
        while node in (Nodetype.ARRAY, Nodetype.SEQUENCE):
            node, description = description[0]
        if node == Nodetype.NAME:
            found.add(description)
    return found
