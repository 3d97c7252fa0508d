"""Running other programs, and the errors that the set-up and the build steps end in."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

#: A command line before it is run.
Command = list[str | Path]

#: Seconds after which a program that was started here is given up. The longest is a download of 100 MB.
TIMEOUT = 1800.0


class ToolError(Exception):
    """A step can't be done. The message is one sentence that says what happened and what to do."""


def progress(line: str) -> None:
    """Says on standard error what is being done now."""
    print(f"wg: {line}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> str:
    """Runs a program quietly and returns what it printed; `env` is added to the environment.

    Raises ToolError with the last lines of its output if it fails, can't be started or takes too long.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise ToolError(f"{words[0]} is not installed (needed for: {' '.join(words)}).") from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{' '.join(words)} did not end within {timeout:.0f} s.") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise ToolError(f"{' '.join(words)} failed with exit code {done.returncode}:\n{tail}")
    return done.stdout


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Only one process at a time goes on inside; others wait. `lock` is a file that is made and stays."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
