"""Send recordings of OTLP/JSON to the collector.

All files are read before the first one is sent: when one is bad, nothing is sent, and the call can be repeated after
mending it without sending anything twice.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from spyglass.demo.replay import play
from spyglass.demo.replay.rewrite import Ids
from spyglass.demo.replay.sender import Sender
from spyglass.errors import InputFileError, StackNotRunningError
from spyglass.settings import Settings
from spyglass.stack import options
from spyglass.stack.running import attach

PROGRESS_SECONDS = 2.0
COLUMNS = ("spans", "logs", "points", "requests", "refused")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="OTLP/JSON file, or a folder of them (.gz too)")
    options.add_data_dir(parser)
    parser.add_argument("--endpoint", help="OTLP/HTTP address; default: the running stack's collector")
    parser.add_argument("--shift-to-now", action="store_true", help="move all times so that the newest one is now")
    parser.add_argument("--new-ids", action="store_true", help="give traces and spans new ids, the same in all files")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Replay and print a summary; 1 when the collector refused something, 2 when a file is bad (nothing is sent)."""
    checked = play.check(arguments.files)
    if checked.errors:
        for error in checked.errors:
            print(f"spyglass: {error}", file=sys.stderr)
        print("spyglass: Nothing was sent.", file=sys.stderr)
        return InputFileError.exit_code
    shift_ns = play.shift_to_now(checked.period) if arguments.shift_to_now else 0
    ids = Ids() if arguments.new_ids else None
    with closing(_sender(arguments)) as sender:
        sender.check()
        played = play.play(checked.files, sender, shift_ns=shift_ns, ids=ids, progress=_Progress(len(checked.files)))
    _print(played, sender.endpoint, shift_ns, as_json=arguments.json)
    return 1 if any(file.refused for file in played) else 0


def _sender(arguments: argparse.Namespace) -> Sender:
    settings = options.settings_of(arguments)
    token = _token(settings.token_file) if settings.token_file else ""
    return Sender(arguments.endpoint or _endpoint(settings), token=token)


def _endpoint(settings: Settings) -> str:
    try:
        return attach(settings).endpoint
    except StackNotRunningError:
        return settings.endpoint


def _token(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror}).", "Mend SPYGLASS_TOKEN_FILE.") from None


class _Progress:
    """Say on standard error, every few seconds, how far the replay has come."""

    def __init__(self, files: int) -> None:
        self._files = files
        self._seen: dict[str, play.Played] = {}
        self._said = time.monotonic()

    def __call__(self, played: play.Played) -> None:
        self._seen[played.file] = played
        if time.monotonic() - self._said < PROGRESS_SECONDS:
            return
        self._said = time.monotonic()
        total = _total(list(self._seen.values()))
        counts = ", ".join(f"{total[name]:,} {name}" for name in COLUMNS)
        print(f"file {len(self._seen)} of {self._files}: {counts}", file=sys.stderr)


def _total(played: list[play.Played]) -> dict[str, int]:
    return {name: sum(getattr(file, name) for file in played) for name in COLUMNS}


def _print(played: list[play.Played], endpoint: str, shift_ns: int, *, as_json: bool) -> None:
    total = _total(played)
    if as_json:
        rows = [asdict(file) for file in played]
        print(json.dumps({"endpoint": endpoint, "shift_seconds": shift_ns / 1e9, "files": rows, "total": total}))
    else:
        width = max(len(file.file) for file in played)
        print(f"{'file':{width}}" + "".join(f"{name:>10}" for name in COLUMNS))
        for file in played:
            print(f"{file.file:{width}}" + "".join(f"{getattr(file, name):10,}" for name in COLUMNS))
        print(f"{'total':{width}}" + "".join(f"{total[name]:10,}" for name in COLUMNS))
    for file in played:
        for reason in file.reasons:
            sentence = f"{file.file}: the collector refused {file.refused} of its items: {reason}"
            print(f"spyglass: {sentence}", file=sys.stderr)
