"""Check this machine and the stack that runs on it, and say how to mend what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from spyglass import probes
from spyglass.errors import ProgramError, SpyglassError, StackNotRunningError
from spyglass.paths import cache_directory
from spyglass.probes import FindingState
from spyglass.settings import Loaded
from spyglass.stack import cache, doctor_libraries, doctor_stack, files, grafana, ports, programs, running, toolchain
from spyglass.stack.catalogue import PROGRAMS
from spyglass.stack.finding import Check, Finding, Machine, failed, note, ok
from spyglass.stack.parts import PARTS
from spyglass.stack.programs import State

GIB = 1 << 30
# Below the first the engine soon stops; the second holds some days of a small fleet.
SCARCE_BYTES, COMFORTABLE_BYTES = GIB, 5 * GIB
# Modules, build caches and programs together.
BUILD_BYTES = 10 * GIB


def examine(loaded: Loaded, *, probe: bool = False) -> Iterator[tuple[str, Finding]]:
    """Yield the name of each check with what it found; a check that cannot look is itself a finding.

    With ``probe`` one call is made through each library that is instrumented.
    """
    try:
        attached = running.attach(loaded.settings)
    except StackNotRunningError:
        attached = None
    machine = Machine(loaded, files.of(loaded.settings), attached)
    for name, check in (CHECKS | (doctor_libraries.PROBE if probe else {})).items():
        try:
            for finding in check(machine):
                yield name, finding
        except SpyglassError as error:
            yield name, failed(error.problem, error.remedy)


def python(_: Machine) -> Iterator[Finding]:
    """Say which Python this is, and where."""
    yield ok(f"Python {platform.python_version()} at {sys.executable}, {platform.system()} on {platform.machine()}")


def settings(machine: Machine) -> Iterator[Finding]:
    """Name the variables that look like settings and are none."""
    for error in machine.loaded.unknown:
        yield failed(error.problem, error.remedy)
    changed = sorted(name for name, source in machine.loaded.sources.items() if source != "default")
    if not machine.loaded.unknown:
        yield ok(f"set: {', '.join(changed) or 'none, all have their defaults'}")


def go(machine: Machine) -> Iterator[Finding]:
    """Say which Go builds programs; it is needed only while one has to be built."""
    try:
        found = toolchain.find(
            "go", machine.settings, max(cache.minimum(program.module) for program in PROGRAMS.values())
        )
    except ProgramError as error:
        if any(programs.find(name, machine.settings).path is None for name in PROGRAMS):
            raise
        yield note(f"{error.problem} All programs are here, so none is needed.")
        return
    yield ok(f"Go {'.'.join(map(str, found.release))} at {found.go}")


def programs_(machine: Machine) -> Iterator[Finding]:
    """Say where each program comes from."""
    missing = []
    for name in PROGRAMS:
        found = programs.find(name, machine.settings)
        if found.state is State.TO_BUILD:
            missing.append(name)
        else:
            yield ok(f"{name} {found.version or '(version unknown)'} is {found.state}: {found.path}")
    if missing:
        yield note(
            f"to be built first: {', '.join(missing)}.", "spyglass up builds them; or now: spyglass programs build."
        )
        yield from _space(cache_directory(machine.settings), BUILD_BYTES, BUILD_BYTES)


def free_ports(machine: Machine) -> Iterator[Finding]:
    """Check that nobody else listens where the parts will."""
    if machine.running:
        yield ok(f"the stack's own, offset {machine.running.port_offset}")
        return
    parts = [part for part in PARTS.values() if not part.only_if_found or grafana.server(machine.settings)]
    ports.check(machine.settings, parts)
    yield ok(f"all {sum(len(part.ports) for part in parts)} are free, offset {machine.settings.port_offset}")


def data_directory(machine: Machine) -> Iterator[Finding]:
    """Check that the data directory, or the folder that it will be made in, can be written and has room."""
    place = machine.place.data
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield failed(f"{place} cannot be written.", "Choose another with SPYGLASS_DATA_DIR.")
        return
    yield ok(f"{machine.place.data}" + ("" if machine.place.data.exists() else " (will be made)"))
    yield from _space(place, SCARCE_BYTES, COMFORTABLE_BYTES)


def probes_(_: Machine) -> Iterator[Finding]:
    """Say what each probe can watch here; a machine without a GPU has nothing to mend."""
    for found in probes.describe():
        sentence = f"{found.probe}: {found.sentence}"
        yield note(sentence) if found.state is FindingState.PARTIAL else ok(sentence)


def grafana_(machine: Machine) -> Iterator[Finding]:
    """Say whether there is a Grafana, and whether it can read the warehouse."""
    server = grafana.server(machine.settings)
    if server is None:
        yield note("no Grafana found; dashboards need one.", "Install it, or name its server with SPYGLASS_GRAFANA.")
    elif (grafana.plugins(machine.place) / grafana.PLUGIN).is_dir():
        yield ok(f"{server}, with its ClickHouse plugin")
    else:
        yield failed(
            f"{server} has no ClickHouse plugin, without which panels about the warehouse stay empty.",
            f"Install it with: {grafana.install_command(machine.place)}",
        )


def _space(place: Path, scarce: int, comfortable: int) -> Iterator[Finding]:
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    sentence = f"{free / GIB:.1f} GiB free at {place}"
    if free < scarce:
        yield failed(f"only {sentence}.", "Make room, or choose another place.")
    else:
        yield ok(sentence) if free >= comfortable else note(f"only {sentence}.", "Make room soon.")


CHECKS: dict[str, Check] = {
    "python": python,
    "settings": settings,
    "go": go,
    "programs": programs_,
    "ports": free_ports,
    "data directory": data_directory,
    "probes": probes_,
    "grafana": grafana_,
    **doctor_libraries.CHECKS,
    **doctor_stack.CHECKS,
}
