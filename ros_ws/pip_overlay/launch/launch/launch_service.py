"""Runs launch descriptions: starts the processes, passes their output on, ends them all."""

import selectors
import signal
import sys
import time
import traceback

from launch.launch_context import LaunchContext


class LaunchService:
    """`include_launch_description(...)`, then `run()`, which returns the exit code."""

    def __init__(self, *, argv=None, noninteractive=False, debug=False):
        self.context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self.context.start_process = self._start
        self.context.shut_down = self._request_stop
        self._debug = debug
        self._entities = []
        self._processes = []
        self._pipes = selectors.DefaultSelector()
        self._stopping = False
        self._exit_code = 0
        self._started = 0

    def include_launch_description(self, launch_description):
        self._entities.append(launch_description)

    def shutdown(self):
        """End all processes; `run` then returns."""
        self._request_stop("shutdown was called")

    def run(self):
        """Run until all processes ended, or SIGINT or SIGTERM; 0 where nothing failed."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {n: signal.signal(n, self._on_signal) for n in numbers}
        try:
            self._visit_safely(self._entities)
            while self._processes:
                self._step()
        finally:
            for process in self._processes:
                process.signal_group(signal.SIGKILL)
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._exit_code

    def _on_signal(self, number, frame):
        self._request_stop(f"received {signal.Signals(number).name}")

    def _request_stop(self, reason):
        if not self._stopping:
            print(f"[INFO] [launch]: shutting down: {reason}", flush=True)
        self._stopping = True

    def _visit_safely(self, entities):
        try:
            for entity in entities:
                self._visit(entity)
        except Exception as error:
            if self._debug:
                traceback.print_exc()
            print(f"[ERROR] [launch]: {type(error).__name__}: {error}", file=sys.stderr)
            self._exit_code = 1
            self._request_stop("the launch file failed")

    def _visit(self, entity):
        for sub in entity.visit(self.context) or []:
            self._visit(sub)

    def _start(self, process):
        if self._stopping:
            return
        self._started += 1
        process.name = f"{process.name}-{self._started}"
        self._run_process(process)
        self._processes.append(process)

    def _run_process(self, process):
        for pipe in process.start():
            self._pipes.register(pipe, selectors.EVENT_READ, process)

    def _step(self):
        """Pass on output, then see who ended, who is due again and who must stop."""
        self._forward(timeout=0.05)
        for process in list(self._processes):
            if process.start_at is not None:
                self._respawn_if_due(process)
            elif process.child.poll() is not None:
                self._ended(process)
            elif self._stopping:
                process.stop()

    def _forward(self, timeout):
        if not self._pipes.get_map():
            time.sleep(timeout)
        for key, _ in self._pipes.select(timeout):
            if not key.data.forward(key.fileobj):
                self._close(key.fileobj)

    def _close(self, pipe):
        self._pipes.unregister(pipe)
        pipe.close()

    def _respawn_if_due(self, process):
        if self._stopping:
            self._processes.remove(process)
        elif time.monotonic() >= process.start_at:
            self._run_process(process)

    def _ended(self, process):
        code = process.returncode
        process.signal_group(signal.SIGKILL)  # what it left behind
        self._drain(process)
        if code and not self._stopping:
            process.say(f"process has died [pid {process.pid}, exit code {code}]", "ERROR")
        else:
            process.say(f"process has finished [pid {process.pid}]")
        if process.respawn and not self._stopping:
            process.start_at = time.monotonic() + process.respawn_delay
        else:
            self._processes.remove(process)
            self._exit_code = self._exit_code or int(code != 0 and not self._stopping)
        for handler in self.context.event_handlers:
            if handler.matches(process):
                self._visit_safely(handler.entities(process, self.context))

    def _drain(self, process):
        for pipe in (process.child.stdout, process.child.stderr):
            if not pipe.closed:
                while process.forward(pipe):
                    pass
                self._close(pipe)
