"""Write the catalogue into README.md: ``python -m spyglass.probes.document``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spyglass.probes.catalog import ENTRIES, Entry

README = Path(__file__).with_name("README.md")
MARK = "<!-- From here on made from catalog.csv by python -m spyglass.probes.document. -->\n"
HEAD = ("", "| metric | instrument | unit | attributes | what it says |", "| --- | --- | --- | --- | --- |")


def documented(readme: str) -> str:
    """Return the text with everything below the mark made anew from the catalogue."""
    return readme.partition(MARK)[0] + MARK + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    heading = ""
    for entry in ENTRIES.values():
        if entry.heading != heading:
            heading = entry.heading
            yield from ("", f"### {heading}", *HEAD)
        yield _row(entry)


def _row(entry: Entry) -> str:
    attributes = ", ".join(f"`{name}`" for name in entry.attributes)
    return f"| `{entry.name}` | {entry.instrument} | `{entry.unit}` | {attributes} | {entry.sentence} |"


if __name__ == "__main__":
    README.write_text(documented(README.read_text(encoding="utf-8")), encoding="utf-8")
