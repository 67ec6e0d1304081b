"""The interface of a sink."""

from typing import Protocol

from producer.events import Block


class Sink(Protocol):
    """Takes events and counts each as acknowledged or failed, in the counts it was made with."""

    def write(self, block: Block) -> None:
        """Take the events, waiting while there is no room; raise `LoglakeError` when the sink is broken for good."""
        ...

    def tick(self) -> None:
        """Send what has lingered; called several times a second in live traffic."""
        ...

    def drain(self) -> None:
        """Return when every event written so far is acknowledged or failed. Raises as `write`."""
        ...

    def hurry(self, grace_s: float) -> None:
        """Keep no one waiting longer than `grace_s`: the run is being stopped. Called from a signal handler."""
        ...

    def close(self, grace_s: float) -> None:
        """Return when every event is acknowledged or failed; stop trying after `grace_s`. Raises as `write`."""
        ...
