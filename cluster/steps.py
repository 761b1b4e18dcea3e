"""Runs the named steps of a build: progress is visible while one lasts, its last log lines when it fails."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from cluster import cache

HEARTBEAT_SECONDS = 15
LINES_SHOWN_ON_FAILURE = 20
LINE_WIDTH = 90
_started = time.monotonic()
_running: set["subprocess.Popen[bytes]"] = set()


class Refusal(Exception):  # noqa: N818 - it is one: a sentence that says what is missing, and the command that mends it
    """What is missing, in one sentence with the command that mends it."""


def say(line: str) -> None:
    """Prints a line behind the time since the start."""
    print(f"{time.monotonic() - _started:6.0f} s  {line}", flush=True)


class Step:
    """A named part of a build whose programs write into a log of its own."""

    def __init__(self, name: str, limit_seconds: float) -> None:
        self.name = name
        self.log = cache.LOGS / f"{name}.log"
        self.note: Callable[[], str] = self._last_line
        self._deadline = time.monotonic() + limit_seconds

    def run(
        self, *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Runs a program to its end; raises when it fails or when the step's limit has passed."""
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            process = subprocess.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            _wait(process, self._deadline - time.monotonic())
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)

    def _last_line(self) -> str:
        return next((line[:LINE_WIDTH] for line in reversed(self.lines()) if line.strip()), "")

    def lines(self) -> list[str]:
        """What the programs have written so far."""
        return self.log.read_text(errors="replace").splitlines() if self.log.exists() else []


def _wait(process: "subprocess.Popen[bytes]", limit_seconds: float) -> None:
    _running.add(process)
    try:
        process.wait(max(limit_seconds, 0.1))
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        _running.discard(process)


@contextmanager
def step(name: str, *, limit_seconds: float = 600) -> Iterator[Step]:
    """Announces a step, tells every few seconds how far it is, and says at its end how long it took."""
    cache.LOGS.mkdir(parents=True, exist_ok=True)
    this = Step(name, limit_seconds)
    this.log.write_text("")
    begin, done = time.monotonic(), threading.Event()
    threading.Thread(target=_tell, args=(this, done), daemon=True).start()
    try:
        yield this
    except (subprocess.SubprocessError, OSError) as error:
        shown = "\n".join(f"    {line}" for line in this.lines()[-LINES_SHOWN_ON_FAILURE:])
        reason = (
            f"took longer than {limit_seconds:.0f} s"
            if isinstance(error, subprocess.TimeoutExpired)
            else error
        )
        raise Refusal(f"{name} failed: {reason}\n{shown}\nThe whole log: {this.log}") from error
    finally:
        done.set()
    say(f"{name}: done in {time.monotonic() - begin:.0f} s")


def _tell(this: Step, done: threading.Event) -> None:
    say(f"{this.name} …")
    while not done.wait(HEARTBEAT_SECONDS):
        say(f"{this.name} … {this.note()}")


def together(*tasks: Callable[[], object]) -> None:
    """Runs tasks at the same time; the first that fails ends the others."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            for process in list(_running):
                process.terminate()
            raise


def output_of(*command: str | Path, limit_seconds: float = 60) -> str:
    """What a short program prints; raises `CalledProcessError` with its words when it fails."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=limit_seconds)
    return done.stdout.strip()


def succeeds(*command: str | Path, limit_seconds: float = 30) -> bool:
    """Whether a short program ends well; one that hangs does not."""
    try:
        return (
            subprocess.run(command, capture_output=True, timeout=limit_seconds, check=False).returncode == 0
        )
    except (subprocess.TimeoutExpired, FileNotFoundError):
        return False


def ending_in_one_sentence(command: Callable[[Sequence[str]], None]) -> None:
    """Runs a command line so that a refusal is printed as such, and any failure makes the exit code 1."""
    # Being ended is as an interrupt: without this, the programs of a step would go on without us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with cache.one_at_a_time():
            command(sys.argv[1:])
    except Refusal as refusal:
        sys.exit(f"\n{refusal}")
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout or "").strip()
        sys.exit(f"\n`{' '.join(map(str, error.cmd))}` failed with {error.returncode}: {words}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; what was finished is kept, the rest is done again next time")
