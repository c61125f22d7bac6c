"""What all nodes share: life cycle, worker thread, parameters, health."""

import sys

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.qos import QoSDurabilityPolicy, QoSProfile

from roomcad_ros.health import BadFrame, Health
from roomcad_ros.params import Parameters, refuse_unknown
from roomcad_ros.settings import NODE_FIXED, NodeConfig
from roomcad_ros.transport import carry_images
from roomcad_ros.worker import Worker

LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class StageNode(LifecycleNode):
    """A lifecycle node that makes results of the newest input, outside its callbacks.

    A subclass says how: `make_stage` builds the models (configure), `open_inputs` subscribes and
    calls `put` with what arrives (activate), `process` serves one such item with `stage`. One bad
    item never stops the node: it is counted, and a throttled warning says why.
    """

    def __init__(self, name, **options):
        super().__init__(name, **options)
        self._answer_all_transitions()
        refuse_unknown(self._parameter_overrides)
        self.settings = Parameters(self, NodeConfig, fixed=NODE_FIXED)
        self.health = Health(self, self.settings)
        self.stage = None
        self._stale = False
        self._inputs = ()
        self._worker = None

    def make_stage(self):
        """Build and return `stage`; it may raise, then the node does not configure."""
        raise NotImplementedError

    def open_inputs(self):
        """Subscribe, hand what arrives to `self.put`, and return the things to close."""
        raise NotImplementedError

    def process(self, item):
        """Serve one item; raise BadFrame to drop it with a reason."""
        raise NotImplementedError

    def start(self):
        """Configure and activate, if `autostart` is set; RuntimeError where that fails."""
        if self.settings.config.autostart:
            for trigger in (self.trigger_configure, self.trigger_activate):
                if trigger() != TransitionCallbackReturn.SUCCESS:
                    raise RuntimeError(f"{self.get_name()} did not start; the log says why")
        return self

    def parameters(self, cls, rebuild=True, fixed=None):
        """Parameters of config `cls`; with `rebuild` a change makes the stage anew for the next
        frame, by `make_stage`, which finds the old one in `stage`."""
        return Parameters(self, cls, fixed, self._rebuild_later if rebuild else None)

    def put(self, item):
        """Hand an item to the worker; the newest one wins."""
        if self._worker and self._worker.put(item):
            self.health.drop("newer_frame", "a newer one came before it was its turn")

    def on_configure(self, state):
        """Build the stage."""
        return self._tried(self._build) or super().on_configure(state)

    def on_activate(self, state):
        """Subscribe and start working."""
        result = super().on_activate(state)
        failed = self._tried(self._open)
        if failed:  # back to where it was, so that it can be tried again
            self._close()
            super().on_deactivate(state)
        return failed or result

    def on_deactivate(self, state):
        """Stop working and unsubscribe."""
        self._close()
        return super().on_deactivate(state)

    def on_cleanup(self, state):
        """Free the stage."""
        self.stage = None
        return super().on_cleanup(state)

    def on_shutdown(self, state):
        """Stop, from whatever state."""
        self._close()
        self.stage = None
        return super().on_shutdown(state)

    def destroy_node(self):
        """Stop the worker before its publishers go."""
        self._close()
        super().destroy_node()

    def _answer_all_transitions(self):
        """Refuse a transition that the state does not allow; rclpy would not answer at all."""
        service = getattr(self, "_service_change_state", None)
        if service is None:
            return
        change = service.callback

        def answer(request, response):
            try:
                return change(request, response)
            except Exception as error:  # RCLError has no public name
                self.get_logger().warning(f"transition refused: {error}")
                response.success = False
                return response

        service.callback = answer

    def _tried(self, step):
        """None, or FAILURE after an error message: rclpy swallows exceptions without a word."""
        try:
            step()
        except Exception as error:
            self.get_logger().error(f"cannot start: {type(error).__name__}: {error}")
            return TransitionCallbackReturn.FAILURE
        return None

    def _build(self):
        self._stale = False
        self.stage = self.make_stage()
        self.health.engine = getattr(self.stage, "engine", "")

    def _open(self):
        self._worker = Worker(self._serve)
        self._inputs = self.open_inputs()

    def _close(self):
        for part in self._inputs:
            part.close()
        self._inputs = ()
        if self._worker:
            self._worker.stop()
            self._worker = None

    def _rebuild_later(self):
        self._stale = True

    def _rebuild(self):
        try:
            self._build()
        except Exception as error:  # the old stage goes on
            text = f"the new parameters cannot be used: {type(error).__name__}: {error}"
            self.health.warn("settings_not_taken", text)

    def _serve(self, item):
        try:
            if self._stale:
                self._rebuild()
            with self.health.timed("total"):
                self.process(item)
            self.health.served()
        except BadFrame as error:
            self.health.drop(error.reason, str(error))
        except Exception as error:  # a node outlives any frame
            if self.context.ok():
                self.health.drop("failed", f"{type(error).__name__}: {error}")


def spin(node):
    """Serve a StageNode until it is shut down. A callback that fails costs its message only."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    while node.context.ok():
        try:
            executor.spin()
        except ExternalShutdownException:
            raise
        except Exception as error:  # such as a stamp that rclpy cannot read
            if node.context.ok():
                node.health.drop("failed", f"{type(error).__name__}: {error}")


def run(make_node, args=None):
    """`main` of a node: start, spin, end cleanly; 1 where it cannot start."""
    # The worker computes while callbacks arrive: with Python's default of 5 ms a callback that
    # needs the interpreter a few times comes 20 ms late, and transforms later than their frame.
    sys.setswitchinterval(0.0005)
    carry_images()
    rclpy.init(args=args)
    node = None
    try:
        node = make_node()
        node.start()
        spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception as error:
        rclpy.logging.get_logger("roomcad").fatal(f"{type(error).__name__}: {error}")
        return 1
    finally:
        if node:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
