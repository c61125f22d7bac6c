"""Whether the stamps of a topic can be believed: a clock that jumped, or one message gone wrong."""

OK = "ok"
ODD = "odd"  # out of line, and alone as yet
JUMP = "jump"  # the clock went back: the second of two that say so


class Stamps:
    """The stamps [s] of one source, judged in the order they come.

    Times follow each other if none lies more than `back` before the last, or `ahead` after it.
    One stamp out of line is ODD; a second one that follows it shows that the clock was set.
    """

    def __init__(self):
        self._back = self._ahead = 0.0
        self._newest = self._before = None  # newest stamp, and the one that was so before it
        self._odd = None

    def judge(self, stamp, back, ahead):
        """OK, ODD or JUMP; a stamp of None is ODD."""
        self._back, self._ahead = back, ahead
        if stamp is None:
            return ODD
        if self._newest is None or self._follows(self._newest, stamp):
            return self._accept(stamp)
        if self._before is not None and self._follows(self._before, stamp):
            self._newest = self._before  # it was the last one that was out of line
            return self._accept(stamp)
        if self._odd is not None and self._follows(self._odd, stamp):
            back = stamp < self._newest
            self._newest = self._before = None
            self._accept(stamp)
            return JUMP if back else OK
        self._odd = stamp
        return ODD

    def _follows(self, last, stamp):
        return last - self._back <= stamp <= last + self._ahead

    def _accept(self, stamp):
        self._odd = None
        if self._newest is None or stamp > self._newest:
            self._before, self._newest = self._newest, stamp
        return OK


def stamp_of(message):
    """Seconds of a message's header; None where no clock could have said so."""
    stamp = message.header.stamp
    if stamp.sec < 0 or stamp.nanosec >= 1_000_000_000:
        return None
    return stamp.sec + stamp.nanosec * 1e-9
