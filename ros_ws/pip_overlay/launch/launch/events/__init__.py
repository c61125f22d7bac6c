"""Events of a launch; here only the one that ends it."""


class Shutdown:
    """Ends the launch: `EmitEvent(event=Shutdown(reason="..."))`."""

    def __init__(self, *, reason="reason not given", due_to_sigint=False):
        self.reason = reason


__all__ = ["Shutdown"]
