"""The warm drivers that wait for their next run."""

import threading
from collections import defaultdict
from collections.abc import Callable

from localcloud.jobs.warm_driver import DriverDied, Launch, WarmDriver

IDLE_DRIVERS = 2
"""Drivers kept warm; beyond them the one idle for longest is ended."""


class Drivers:
    """At most one idle driver per key; a driver that was taken belongs to who took it until it is given back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starting: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._idle: dict[str, WarmDriver] = {}
        self._closed = threading.Event()

    def take(self, key: str, launch: Launch, give_up: Callable[[], bool]) -> WarmDriver:
        """Return the key's idle driver if it was launched so, else a new one; wait for one that is being started.

        Raises `DriverDied`, or `Interrupted` when `give_up` says so.
        """
        with self._lock:
            starting = self._starting[key]
        with starting:
            with self._lock:
                idle = self._idle.pop(key, None)
            if idle and idle.alive and idle.launch == launch:
                return idle
            if idle:
                idle.end()
            return self.start(launch, give_up)

    def start(self, launch: Launch, give_up: Callable[[], bool]) -> WarmDriver:
        """Return a new driver, ready."""
        driver = WarmDriver(launch)
        try:
            driver.wait_ready(lambda: give_up() or self._closed.is_set())
        except DriverDied:
            driver.end()
            raise
        return driver

    def warm(self, key: str, launch: Launch) -> None:
        """Have a driver ready for the key's next run."""
        with self._lock:
            starting = self._starting[key]
        with starting:
            with self._lock:
                known = key in self._idle
            if not known:
                self.give_back(key, self.start(launch, self._closed.is_set))

    def give_back(self, key: str, driver: WarmDriver) -> None:
        """Keep a driver for the key's next run."""
        with self._lock:
            ended = [self._idle.pop(key, None)]
            self._idle[key] = driver
            kept = 0 if self._closed.is_set() else IDLE_DRIVERS
            while len(self._idle) > kept:
                ended.append(self._idle.pop(next(iter(self._idle))))
        for second in filter(None, ended):
            second.end()

    def close(self) -> None:
        """End the idle drivers, and every driver that is given back or being started from now on."""
        self._closed.set()
        with self._lock:
            drivers = list(self._idle.values())
            self._idle.clear()
        for driver in drivers:
            driver.end()
