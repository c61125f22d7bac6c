"""Stand-in for ROS 2's message_filters where PyPI is all there is: time synchronisation.

Holds what roomcad's nodes use, with the names and signatures of the official package.
"""

import itertools
import threading

from rclpy.clock import Clock, ClockType
from rclpy.time import Time


class SimpleFilter:
    """Calls its callbacks with every message it is given."""

    def __init__(self):
        self.callbacks = {}

    def registerCallback(self, cb, *args):
        """Call `cb(*messages, *args)` for every message or synchronised set; returns an id."""
        connection = len(self.callbacks)
        self.callbacks[connection] = (cb, args)
        return connection

    def signalMessage(self, *msg):
        for cb, args in list(self.callbacks.values()):
            cb(*msg, *args)


class Subscriber(SimpleFilter):
    """A topic as filter: `Subscriber(node, type, topic, qos_profile=10, **kwargs)`."""

    def __init__(self, node, msg_type, topic, **kwargs):
        super().__init__()
        self.node = node
        self.topic = topic
        kwargs.setdefault("qos_profile", 10)
        self.sub = node.create_subscription(msg_type, topic, self.callback, **kwargs)

    def callback(self, msg):
        self.signalMessage(msg)

    def getTopic(self):
        return self.topic


class TimeSynchronizer(SimpleFilter):
    """Passes on sets of messages, one from each filter, that carry the same stamp.

    Args:
        fs: the input filters; callbacks get one message from each, in this order.
        queue_size: messages kept for each input while they wait for their partners.
    """

    def __init__(self, fs, queue_size):
        super().__init__()
        self.queue_size = queue_size
        self.lock = threading.Lock()
        self.connectInput(fs)

    def connectInput(self, fs):
        self.queues = [{} for _ in fs]
        self.input_connections = [
            f.registerCallback(self.add, queue, i)
            for i, (f, queue) in enumerate(zip(fs, self.queues, strict=True))
        ]

    def add(self, msg, my_queue, my_queue_index=None):
        stamp = Time.from_msg(msg.header.stamp).nanoseconds
        with self.lock:
            self._insert(my_queue, stamp, msg)
            if not all(stamp in queue for queue in self.queues):
                return
            found = [queue.pop(stamp) for queue in self.queues]
        self.signalMessage(*found)

    def _insert(self, queue, stamp, msg):
        queue[stamp] = msg
        while len(queue) > self.queue_size:
            del queue[min(queue)]


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """Passes on sets of messages whose stamps differ by at most `slop` seconds.

    `allow_headerless` stamps messages without a header with their arrival time.
    """

    def __init__(self, fs, queue_size, slop, allow_headerless=False):
        self.slop = round(slop * 1e9)
        self.allow_headerless = allow_headerless
        super().__init__(fs, queue_size)

    def add(self, msg, my_queue, my_queue_index=None):
        stamp = self._stamp(msg)
        with self.lock:
            self._insert(my_queue, stamp, msg)
            stamps = self._nearest_set(stamp, my_queue)
            if stamps is None:
                return
            found = [queue.pop(t) for queue, t in zip(self.queues, stamps, strict=True)]
        self.signalMessage(*found)

    def _stamp(self, msg):
        if hasattr(msg, "header"):
            return Time.from_msg(msg.header.stamp).nanoseconds
        if not self.allow_headerless:
            raise TypeError(
                f"cannot synchronise {type(msg).__name__}: it has no header; "
                "allow_headerless=True uses the time of arrival"
            )
        return Clock(clock_type=ClockType.ROS_TIME).now().nanoseconds

    def _nearest_set(self, stamp, my_queue):
        """One stamp from each queue, all within slop of each other, nearest first; or None."""
        near = [
            [stamp] if queue is my_queue else [t for t in queue if abs(t - stamp) <= self.slop]
            for queue in self.queues
        ]
        sets = [s for s in itertools.product(*near) if max(s) - min(s) <= self.slop]
        return min(sets, key=lambda s: sum(abs(t - stamp) for t in s), default=None)
