"""Lines for the host's log. It adds rule and version, and sets a limit per call."""

import sys
from typing import Callable


def _to_stderr(level: str, message: str) -> None:
    print(f"{level}: {message}", file=sys.stderr)


_write: Callable[[str, str], None] = _to_stderr


def debug(message: str) -> None:
    """For the rule's author."""
    _write("debug", message)


def info(message: str) -> None:
    """Worth a line."""
    _write("info", message)


def warn(message: str) -> None:
    """Something looks wrong."""
    _write("warn", message)


def error(message: str) -> None:
    """Something is wrong."""
    _write("error", message)
