"""Have each program check its configuration before anything is started."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from spyglass.errors import PartError
from spyglass.stack.parts import Part
from spyglass.stack.render import fill_all

CHECK_SECONDS = 60
REASON_LENGTH = 400
# What checkers say besides the mistake.
NOISE = re.compile(r"SUCCESS|^Checking |^amtool: error: failed to validate")


def check(parts: Sequence[Part], found: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raise PartError for the first part whose own program refuses its configuration, with the program's reason."""
    with ThreadPoolExecutor() as pool:
        for error in pool.map(lambda part: _problem(part, found, environment), parts):
            if error:
                raise error


def _problem(part: Part, found: Mapping[str, str], environment: Mapping[str, str]) -> PartError | None:
    if not part.check:
        return None
    command = fill_all(part.check, found)
    done = subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=CHECK_SECONDS,
        check=False,
    )
    if done.returncode == 0:
        return None
    files = [word.partition("=")[2] or word for word in command if word.endswith(".yaml")]
    return PartError(
        part.name,
        f"its configuration is refused: {_reason(done.stdout)}",
        f"Mend what it names; it was read from {', '.join(files)}.",
    )


def _reason(output: str) -> str:
    """Return what a checker says about the mistake, on one line."""
    lines = [
        line.strip() for line in output.splitlines() if line.strip() and not re.search(r"SUCCESS|^Checking ", line)
    ]
    text = " ".join(lines)
    return (text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 1] + "…").rstrip(".") + "."
