"""One thread that always works on the newest item, so that callbacks never block."""

import threading


class Worker:
    """Calls `work(item)` in its own thread; an item put while it works replaces a waiting one.

    `work` must not raise: the owner decides what a failed item means.
    """

    def __init__(self, work):
        self._work = work
        self._changed = threading.Condition()
        self._waiting = None
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, item):
        """Hand over an item; True if an older one was still waiting and is now dropped."""
        with self._changed:
            replaced = self._waiting is not None
            self._waiting = item
            self._changed.notify()
        return replaced

    def stop(self):
        """Finish the item in work, drop the waiting one and end the thread."""
        with self._changed:
            self._open = False
            self._waiting = None
            self._changed.notify()
        self._thread.join()

    def _run(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or not self._open)
                if not self._open:
                    return
                item, self._waiting = self._waiting, None
            self._work(item)
