"""ROS parameters made from config dataclasses: same names, same defaults, written once."""

import dataclasses
import difflib

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)

from roomcad_ros.settings import PREFIXES

# Parameters that rclpy itself declares.
ROS_OWN = ("use_sim_time", "qos_overrides.", "start_type_description_service")


class Parameters:
    """The parameters of one config dataclass on a node; `config` always holds their values.

    All but the fields named in `fixed` may change while the node runs; without it, all numbers:
    text and switches choose models, files and topics. rclpy and `_check` refuse a wrong value with
    a message that names got and expected; on start-up that is an exception.
    """

    def __init__(self, node, cls, fixed=None, on_change=None):
        self._cls, self._on_change = cls, on_change
        self._fields = {PREFIXES[cls] + f.name: f for f in dataclasses.fields(cls)}
        self.config = cls(
            **{
                f.name: node.declare_parameter(name, f.default, describe(f, fixed)).value
                for name, f in self._fields.items()
            }
        )
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._take)

    def _proposed(self, parameters):
        new = {self._fields[p.name].name: p.value for p in parameters if p.name in self._fields}
        return dataclasses.replace(self.config, **new)

    def _check(self, parameters):
        try:
            self._proposed(parameters)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters):
        new = self._proposed(parameters)
        if new != self.config:
            self.config = new
            if self._on_change:
                self._on_change()


def describe(f, fixed=None):
    """ParameterDescriptor of config field `f`: description, range, choices, read-only.

    `fixed`: names of fields that are read-only; None = those that are no numbers.
    """
    low, high, choices = (f.metadata[k] for k in ("low", "high", "choices"))
    descriptor = ParameterDescriptor(
        description=f.metadata["help"],
        read_only=isinstance(f.default, (str, bool)) if fixed is None else f.name in fixed,
        additional_constraints=f"one of: {', '.join(choices)}" if choices else "",
    )
    if low is not None and high is not None:
        if isinstance(f.default, float):
            limits = FloatingPointRange(from_value=float(low), to_value=float(high))
            descriptor.floating_point_range = [limits]
        else:
            limits = IntegerRange(from_value=int(low), to_value=int(high), step=1)
            descriptor.integer_range = [limits]
    return descriptor


def refuse_unknown(names):
    """Raise ValueError for parameter names that no node of roomcad has (a misspelling).

    ROS ignores such names silently. Names of another roomcad node pass: one parameter file
    serves all of them.
    """
    known = [p + f.name for cls, p in PREFIXES.items() for f in dataclasses.fields(cls)]
    for name in sorted(set(names) - set(known)):
        if not name.startswith(ROS_OWN):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ValueError(f"unknown parameter '{name}'{hint}")
