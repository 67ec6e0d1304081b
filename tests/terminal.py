"""A terminal for the tests of commands: what is typed, what is shown, and Ctrl-C."""

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Callable

WAIT_SECONDS = 120.0


class Terminal:
    """A pseudo-terminal 100 columns wide in which a command runs, Ctrl-C and all."""

    def __init__(self, start: Callable[..., subprocess.Popen[bytes]]) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (24, 100))
        self.before = termios.tcgetattr(self.slave)
        places = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave}
        self.process = start(**places, preexec_fn=lambda: os.login_tty(os.dup(self.slave)))
        self.shown, self.place = "", 0

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def until(self, text: str) -> None:
        """Read until a text has been shown after those waited for before."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (place := self.shown.find(text, self.place)) < 0:
            assert time.monotonic() < deadline, f"{text!r} was not shown, but {self.shown[self.place :]!r}"
            if select.select([self.master], [], [], 0.2)[0]:
                self.shown += os.read(self.master, 65_536).decode()
        self.place = place + len(text)

    def rest(self) -> str:
        """Return what was shown after the texts waited for."""
        while select.select([self.master], [], [], 0.2)[0]:
            self.shown += os.read(self.master, 65_536).decode()
        return self.shown[self.place :]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
