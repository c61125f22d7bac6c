"""Why a transform is not to be had."""


class TransformException(Exception):
    """Base of all tf2 errors."""


class ConnectivityException(TransformException):
    """Both frames exist, in trees that are not connected."""


class LookupException(TransformException):
    """A frame that was never heard of."""


class ExtrapolationException(TransformException):
    """The time asked for lies outside of the transforms received."""


class InvalidArgumentException(TransformException):
    """A transform with NaN, a bad quaternion or a bad frame name."""


class TimeoutException(TransformException):
    """A wait that ended without a transform."""
