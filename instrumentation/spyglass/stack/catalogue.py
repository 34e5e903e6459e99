"""List the programs of the stack: from which pinned module each is built, and how it tells its version."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Module:
    """Describe one pinned Go module in deploy/go: a folder, the version that it holds, and the flags of its build."""

    folder: str
    version: str
    ldflags: str
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """Describe one program: ``package`` is what Go builds, ``probe`` the arguments that make it print its version."""

    name: str
    module: Module
    package: str
    binary: str
    probe: tuple[str, ...] = ("--version",)

    @property
    def setting(self) -> str:
        """Return the name of the setting that holds a path to use instead of a built program."""
        return self.name.replace("-", "_")

    def accepts(self, version: str) -> bool:
        """Say whether a program of this version may stand in for ours: the same minor version, any patch."""
        return version.split(".")[:2] == self.module.version.split(".")[:2]


# Without these stamps the Prometheus family, Tempo and pint cannot tell their versions.
_STAMP = "-X github.com/prometheus/common/version.Version="

COLLECTOR = Module("collector", "0.1.0", "-s -w", "grpcnotrace,remove_all_sd")
PROMETHEUS = Module("prometheus", "3.14.0", f"-s -w {_STAMP}3.14.0", "remove_all_sd,netgo")
ALERTMANAGER = Module("alertmanager", "0.31.1", f"-s -w {_STAMP}0.31.1")
# Tempo links to names inside Go's own packages.
TEMPO = Module("tempo", "2.8.0-rc.0", "-s -w -checklinkname=0 -X main.Version=2.8.0-rc.0")
PROCESS_COMPOSE = Module("process-compose", "1.87.0", "-s -w")
PINT = Module("pint", "0.87.0", "-s -w -X main.version=0.87.0")

# In the order in which they are built: what is quick and what everything else stands on first.
PROGRAMS = {
    program.name: program
    for program in (
        Program(
            "process-compose", PROCESS_COMPOSE, "github.com/f1bonacc1/process-compose", "process-compose", ("version",)
        ),
        Program("alertmanager", ALERTMANAGER, "github.com/prometheus/alertmanager/cmd/alertmanager", "alertmanager"),
        Program("amtool", ALERTMANAGER, "github.com/prometheus/alertmanager/cmd/amtool", "amtool"),
        Program("prometheus", PROMETHEUS, "github.com/prometheus/prometheus/cmd/prometheus", "prometheus"),
        Program("promtool", PROMETHEUS, "github.com/prometheus/prometheus/cmd/promtool", "promtool"),
        Program("tempo", TEMPO, "github.com/grafana/tempo/cmd/tempo", "tempo"),
        Program("collector", COLLECTOR, ".", "spyglass-collector"),
        Program("pint", PINT, "github.com/cloudflare/pint/cmd/pint", "pint", ("version",)),
    )
}


def siblings(program: Program) -> tuple[Program, ...]:
    """Return the programs that one build of this program's module makes, itself among them."""
    return tuple(other for other in PROGRAMS.values() if other.module is program.module)
