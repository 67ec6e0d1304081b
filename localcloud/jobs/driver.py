"""The child process that runs job scripts on one Spark session kept warm between runs.

It is started as a script of its own, without Loglake's packages on the path: a job sees its own files only, as on AWS.
Commands come as JSON lines on stdin, answers go as JSON lines to the descriptor named by the first argument. It ends,
with its JVM, when stdin closes, so it never outlives its parent; after the idle seconds of the second argument; and
when its JVM has died, before it takes another run.
"""

import json
import os
import queue
import runpy
import signal
import sys
import threading
import traceback
from typing import Any, TextIO

ERROR_CHARS = 3000


def read_commands(source: TextIO, commands: "queue.Queue[dict[str, Any]]") -> None:
    for line in source:
        commands.put(json.loads(line))
    os.killpg(os.getpgrp(), signal.SIGKILL)


def take_stdin() -> TextIO:
    """Return the parent's pipe and leave scripts an empty stdin."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return os.fdopen(pipe, "r", encoding="utf-8")


def fresh_session() -> Any:
    """Return a session without settings or views of earlier ones; its context is new only if a script stopped it."""
    from pyspark.sql import SparkSession

    base = SparkSession.builder.getOrCreate()
    session: Any = base.newSession()
    SparkSession._instantiatedSession = session
    SparkSession._activeSession = session
    session._jvm.SparkSession.setDefaultSession(session._jsparkSession)
    session._jvm.SparkSession.setActiveSession(session._jsparkSession)
    return session


def clean_up(session: Any) -> None:
    """End what a script left running in its session."""
    if session.sparkContext._jsc is None:
        return
    for stream in session.streams.active:
        stream.stop()
    session.catalog.clearCache()


def run_script(script: str, arguments: list[str]) -> str | None:
    """Run the script as `__main__`; return None, or what went wrong with the tail of its traceback."""
    before = sys.argv
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ending:
        if ending.code in (None, 0):
            return None
        return f"SystemExit: {ending.code}"
    except BaseException as error:
        traceback.print_exc()
        text = "".join(traceback.format_exception(error))
        return f"{type(error).__name__}: {error}"[:ERROR_CHARS] + "\n" + text[-ERROR_CHARS:]
    finally:
        sys.argv = before
    return None


def run(session: Any, command: dict[str, Any]) -> str | None:
    """Run one command with its output in its own log; return what went wrong, if anything did."""
    kept = [os.dup(1), os.dup(2)]
    log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    try:
        error = run_script(command["script"], command["arguments"])
        clean_up(session)
        return error
    except Exception as failure:
        traceback.print_exc()
        return f"the Spark session broke: {failure!r}"
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, saved in enumerate(kept, start=1):
            os.dup2(saved, number)
            os.close(saved)


def main(answers_fd: int, idle_seconds: float) -> None:
    answers = os.fdopen(answers_fd, "w", encoding="utf-8", buffering=1)
    commands: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=read_commands, args=(take_stdin(), commands), daemon=True).start()
    fresh_session()
    answers.write('{"ready": true}\n')
    while True:
        try:
            command = commands.get(timeout=idle_seconds)
        except queue.Empty:
            break
        try:
            session = fresh_session()
        except Exception as failure:
            print(
                f"no Spark session any more ({failure}); the next run is for another driver",
                file=sys.stderr,
                flush=True,
            )
            break
        answers.write(json.dumps({"started": command["run_id"]}) + "\n")
        error = run(session, command)
        answers.write(json.dumps({"ended": command["run_id"], "error": error}) + "\n")
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
