"""Run one go build with progress on stderr, and say in one sentence what went wrong."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self, TextIO

from spyglass.errors import ProgramError
from spyglass.stack.catalogue import Program, siblings
from spyglass.stack.toolchain import Toolchain, environment

TICK_TERMINAL_SECONDS = 0.5
TICK_LOG_SECONDS = 15.0
TAIL = 20

# What Go or the system prints, and what that means; the first match counts.
CAUSES = (
    (
        ("no space left on device", "disk quota exceeded", "file too large", "SIGXFSZ"),
        "there is no space left for the build, which takes up to 10 GB below {cache} and Go's own caches.",
        "Make room, or name another place with SPYGLASS_CACHE_DIR, GOCACHE, GOMODCACHE and GOTMPDIR.",
    ),
    (
        ("checksum mismatch", "SECURITY ERROR", "missing go.sum", "updates to go.mod needed", "errors parsing go."),
        "its pinned module is broken: what was downloaded is not what go.sum names (see {log}).",
        "Restore deploy/go from the release, empty Go's module cache with `go clean -modcache`, and try again.",
    ),
    (
        ("dial tcp", "no such host", "connection refused", "i/o timeout", "TLS handshake", "proxyconnect",
         "network is unreachable", "module lookup disabled", "cannot find module providing", "reading http"),
        "the Go modules it is built from cannot be downloaded (see {log}).",
        "Check the network and GOPROXY, or put the program on PATH.",
    ),
    (
        ("read-only file system", "Permission denied", "permission denied"),
        "the cache {cache} cannot be written.",
        "Make it writable, or name another place with SPYGLASS_CACHE_DIR.",
    ),
)  # fmt: skip


def compile_module(program: Program, source: Path, into: Path, go: Toolchain, log: Path) -> None:
    """Build all programs of a module from the folder ``source`` into the folder ``into``.

    Go's output is kept in ``log`` when the build fails. Raises ProgramError.
    """
    made = siblings(program)
    output = str(into / program.binary) if len(made) == 1 else f"{into}/"
    module = program.module
    command = [str(go.go), "build", "-v", "-trimpath", "-ldflags", module.ldflags, "-o", output]
    command += ["-tags", module.tags] if module.tags else []
    command += [one.package for one in made]
    names = " and ".join(one.name for one in made)
    with log.open("w", encoding="utf-8") as log_file:
        code = _run(command, source, log_file, f"{names} {module.version}")
    if code:
        raise failure(program.name, log.read_text(encoding="utf-8", errors="replace"), into.parent.parent, log)
    log.unlink()


def failure(name: str, output: str, cache: Path, log: Path | None = None) -> ProgramError:
    """Return the error that says why a build failed, from what Go or the system printed."""
    for signs, problem, remedy in CAUSES:
        if any(sign in output for sign in signs):
            return ProgramError(name, problem.format(cache=cache, log=log), remedy)
    if log is None:
        return ProgramError(name, f"it cannot be built ({output}).", f"Look at {cache}.")
    reason = next((line for line in output.splitlines()[-TAIL:] if ".go:" in line or line.startswith("go: ")), "")
    cause = f" ({reason.strip()})" if reason else ""
    return ProgramError(name, f"Go could not compile it{cause}.", f"All that Go said is in {log}.")


def _run(command: list[str], folder: Path, log: TextIO, title: str) -> int:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    with process, _Progress(title) as progress:
        try:
            for line in process.stderr or ():
                log.write(line)
                progress.saw(line)
        except BaseException:
            process.terminate()
            raise
        code = process.wait()
        progress.outcome = "failed to build" if code else "built"
        return code


class _Progress:
    """Tell on stderr what is built, how far it is, and how long it has taken: one moving line on a terminal."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcome = "stopped building"
        self.compiled = 0
        self.downloaded = 0
        self.started = time.monotonic()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        self._tell(f"building {self.title}")
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
        self._tell(self._text(self.outcome), last=True)

    def saw(self, line: str) -> None:
        """Count what one line of Go's output means: a package compiled, or a module downloaded."""
        if line.startswith("go: downloading"):
            self.downloaded += 1
        elif not line.startswith(("go: ", "#", "\t")) and " " not in line.strip():
            self.compiled += 1

    def _tick(self) -> None:
        while not self.done.wait(TICK_TERMINAL_SECONDS if sys.stderr.isatty() else TICK_LOG_SECONDS):
            self._tell(self._text("building"))

    def _text(self, what: str) -> str:
        modules = f", modules downloaded: {self.downloaded}" if self.downloaded else ""
        seconds = time.monotonic() - self.started
        return f"{what} {self.title}: {seconds:.0f} s{modules}, packages compiled: {self.compiled}"

    def _tell(self, text: str, *, last: bool = False) -> None:
        start, end = ("\r\x1b[K", "\n" if last else "") if sys.stderr.isatty() else ("", "\n")
        sys.stderr.write(f"{start}{text}{end}")
        sys.stderr.flush()
