"""What a node tells about itself: named throttled warnings, counters, /diagnostics."""

import contextlib
import time
from collections import Counter, defaultdict, deque

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType

WINDOW = 200  # timings kept for the percentiles


class BadFrame(ValueError):
    """A frame that cannot be used. `reason` is a short stable name, the text says why."""

    def __init__(self, reason, text):
        super().__init__(text)
        self.reason = reason


class Health:
    """Counts what goes wrong, times what goes right, and publishes both once in a while."""

    def __init__(self, node, settings):
        """`settings`: Parameters of NodeConfig."""
        self._node, self._settings = node, settings
        self.engine = ""
        self.dropped = Counter()  # reason -> frames
        self.warnings = Counter()  # reason -> times, the frame was served all the same
        self.ended = Counter()  # reason -> tracks
        self.objects, self.passes = Counter(), Counter()  # tracked or other -> how many
        self._tracks = Counter()  # state -> tracks there are
        self._seconds = defaultdict(lambda: deque(maxlen=WINDOW))
        self._served = deque(maxlen=WINDOW)
        self._n_served = 0
        self._last_warned = {}
        self._reported = 0
        self._out = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # A steady clock: silence must be reported also while simulated time stands still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        period = settings.config.diagnostics_period
        self._timer = node.create_timer(period, self.publish, clock=steady)

    def drop(self, reason, text):
        """Count a frame that is not served, and say why."""
        self.dropped[reason] += 1
        self._say(reason, f"frame dropped ({reason}): {text}")

    def warn(self, reason, text):
        """Count something wrong that loses no frame, and say it."""
        self.warnings[reason] += 1
        self._say(reason, f"{reason}: {text}")

    def model_mode(self, mismatch):
        """Warn of an aligner's network that was trained for another input; "" = it was not."""
        if mismatch:
            self.warn("model_mode", mismatch)

    def unclassified(self, segmentation):
        """Warn of each object that is `other` because its crop could not be classified."""
        for obj in segmentation.objects:
            if obj.note:
                self.warn("bad_crop", f"object {obj.id} is not classified: {obj.note}")

    def unaligned(self, dropped):
        """Warn of each object (types.Dropped) that could not be aligned."""
        for it in dropped:
            self.warn(it.reason, f"object {it.object_id} is not aligned: {it.text}")

    def followed(self, follower):
        """Note the tracks of a tracks.Follower after a frame, and what it could not do."""
        if not follower.follows:
            return
        update = follower.update
        self._tracks = Counter(track.state for track in update.tracks)
        self.track_ends(update.ended)
        if update.limitation:
            self.warn("no_world_pose", update.limitation)

    def aligned(self, passes, tracked):
        """Count the objects of a frame, and what the network did for them.

        `passes`: {object id: passes of the network}; `tracked`: ids of objects that are followed.
        """
        for obj in {*passes, *tracked}:
            kind = "tracked" if obj in tracked else "other"
            self.objects[kind] += 1
            self.passes[kind] += passes.get(obj, 0)

    def track_ends(self, ended):
        """Count tracks (tracks.Ended) that are no more."""
        self.ended.update(it.reason for it in ended)

    def _say(self, reason, text):
        # rclpy throttles by the line of the call; all reasons meet here, hence our own clock.
        now = time.monotonic()
        if now - self._last_warned.get(reason, -np.inf) >= self._settings.config.warn_period:
            self._last_warned[reason] = now
            self._node.get_logger().warning(text)

    @contextlib.contextmanager
    def timed(self, stage):
        """Time the block as `stage`; a block that raises is not counted."""
        start = time.perf_counter()
        yield
        self.took(stage, time.perf_counter() - start)

    def took(self, stage, seconds):
        """Add one timing of `stage`."""
        self._seconds[stage].append(seconds)

    def served(self):
        """Count one frame that went out."""
        self._n_served += 1
        self._served.append(time.monotonic())

    def rate(self):
        """Frames per second that went out over the last seconds; 0 when they ended."""
        recent = [t for t in list(self._served) if t > time.monotonic() - 5.0]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0

    def values(self):
        """Name -> text of everything reported."""
        out = {"frames per second": f"{self.rate():.1f}", "frames served": str(self._n_served)}
        if self.engine:
            out["engine"] = self.engine
        for stage, seconds in list(self._seconds.items()):
            for percent in (50, 95):
                ms = 1000 * np.percentile(list(seconds), percent)
                out[f"{stage} p{percent} [ms]"] = f"{ms:.1f}"
        out |= {f"objects: {kind}": str(n) for kind, n in sorted(self.objects.items())}
        out |= {f"network passes: {kind}": str(n) for kind, n in sorted(self.passes.items())}
        out |= {f"tracks {state}": str(n) for state, n in sorted(self._tracks.items())}
        out |= {f"tracks ended: {reason}": str(n) for reason, n in sorted(self.ended.items())}
        out |= {f"dropped: {reason}": str(n) for reason, n in sorted(self.dropped.items())}
        return out | {f"warned: {reason}": str(n) for reason, n in sorted(self.warnings.items())}

    def publish(self):
        """Send one DiagnosticArray; the level is WARN while new frames are dropped."""
        self._timer.timer_period_ns = round(self._settings.config.diagnostics_period * 1e9)
        # A frame that made way for a newer one is the plan, not trouble.
        total = self.dropped.total() + self.warnings.total() - self.dropped["newer_frame"]
        bad, self._reported = total > self._reported, total
        status = DiagnosticStatus(
            level=DiagnosticStatus.WARN if bad else DiagnosticStatus.OK,
            name=self._node.get_fully_qualified_name(),
            hardware_id="roomcad",
            message=f"{self.rate():.1f} frames/s" + (", frames are refused" if bad else ""),
            values=[KeyValue(key=k, value=v) for k, v in self.values().items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._out.publish(message)
