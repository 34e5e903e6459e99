"""Define every error that spyglass raises, as one tree.

SpyglassError                    one sentence: what is wrong and where; a remedy: how to mend it
├── UsageError                   the request cannot be understood (exit code 2)
│   ├── RetentionRuleError       a rule would keep rows longer than their table does
│   ├── SettingError             a setting is unknown, of the wrong type, or contradicts another
│   ├── InputFileError           a file given by the user cannot be read as what it should be
│   ├── PriceError               a price cannot be one, or contradicts another
│   └── QuestionError            a question is unknown, its file is wrong, or a value is not what it takes
├── InstallationError            something spyglass needs is not on this machine
│   ├── AssetMissingError        a folder of the project is missing from the installation
│   ├── ExtraMissingError        a Python package of an extra is missing
│   └── ProgramError             a program (collector, Prometheus …) cannot be found or built
├── StackError                   the parts do not run as asked
│   ├── PortTakenError           another process listens on a port that a part needs
│   ├── DataDirectoryError       the data directory cannot be used
│   ├── StackNotRunningError     a command needs a running stack and there is none
│   ├── CollectorUnreachableError nothing answers at the collector's address, or it stays busy
│   └── PartError                one part is dead, or did not become ready
├── WarehouseError               the warehouse refused or failed
│   ├── WarehouseUnreachableError nothing answers at the warehouse's address
│   ├── StatementError           the engine refused a statement; carries its code
│   ├── MigrationError           a migration is changed, missing or failed half way
│   ├── BackupError              a backup is damaged or incomplete, or cannot be written or restored here
│   └── StillFoundError          what was to be forgotten is still in a table
├── DialectTableError            a row of a dialect's table cannot be compiled
├── StoreError                   Prometheus, Tempo or Alertmanager did not answer as expected
└── BenchError                   a measurement could not be made
"""

from __future__ import annotations


class SpyglassError(Exception):
    """Say what is wrong in one sentence, and how to mend it in another.

    ``remedy`` may be empty where the problem names it already. ``exit_code`` is what the command line returns.
    """

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".strip())
        self.problem = problem
        self.remedy = remedy


class UsageError(SpyglassError):
    """The request cannot be understood."""

    exit_code = 2


class SettingError(UsageError):
    """A setting is unknown, of the wrong type, or contradicts another."""

    def __init__(self, setting: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{setting}: {problem}", remedy)
        self.setting = setting


class RetentionRuleError(UsageError):
    """A rule would keep rows longer than their table does."""


class InputFileError(UsageError):
    """A file given by the user cannot be read as what it should be."""

    def __init__(self, path: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{path}: {problem}", remedy)
        self.path = path


class PriceError(UsageError):
    """A price cannot be one, or contradicts another."""


class QuestionError(UsageError):
    """A question is unknown, its file is wrong, or a value is not what one of its parameters takes."""


class InstallationError(SpyglassError):
    """Something that spyglass needs is not on this machine."""


class AssetMissingError(InstallationError):
    """A folder of the project is missing from the installation."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The folder {name!r} is missing from this installation of spyglass.",
            "Install it again: pip install --force-reinstall spyglass.",
        )
        self.name = name


class ExtraMissingError(InstallationError):
    """A Python package of an extra is missing."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"The Python package {module!r} is not installed.", f"Install it with: pip install 'spyglass[{extra}]'."
        )
        self.module = module
        self.extra = extra


class ProgramError(InstallationError):
    """A program of the stack cannot be found or built; carries the program's name."""

    def __init__(self, program: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{program}: {problem}", remedy)
        self.program = program


class StackError(SpyglassError):
    """The parts do not run as asked."""


class PortTakenError(StackError):
    """Another process listens on a port that a part needs."""

    def __init__(self, part: str, port: int, holder: str) -> None:
        super().__init__(
            f"Port {port}, which {part} needs, is taken by {holder}.",
            "Stop that process, or start this stack elsewhere: spyglass up --port-offset 1000 --data-dir DIR.",
        )
        self.part = part
        self.port = port
        self.holder = holder


class DataDirectoryError(StackError):
    """The data directory cannot be used."""

    def __init__(self, path: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"Data directory {path}: {problem}", remedy)
        self.path = path


class StackNotRunningError(StackError):
    """A command needs a running stack and there is none."""

    def __init__(self, path: str) -> None:
        super().__init__(f"No stack runs with the data directory {path}.", "Start it with: spyglass up --detach.")
        self.path = path


class CollectorUnreachableError(StackError):
    """Nothing answers at the collector's address, or it stays too busy to take anything."""

    def __init__(self, endpoint: str, cause: str) -> None:
        super().__init__(
            f"The collector at {endpoint} does not take requests ({cause}).",
            "Start it with: spyglass up --detach; another address is given with --endpoint.",
        )
        self.endpoint = endpoint


class PartError(StackError):
    """One part is dead, or did not become ready; carries the part's name."""

    def __init__(self, part: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{part}: {problem}", remedy)
        self.part = part


class WarehouseError(SpyglassError):
    """The warehouse refused or failed."""


class WarehouseUnreachableError(WarehouseError):
    """Nothing answers at the warehouse's address."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"The warehouse at {url} does not answer ({cause}).", "Start it with: spyglass up --detach.")
        self.url = url


class StatementError(WarehouseError):
    """The engine refused a statement; ``code`` is ClickHouse's error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class FinaliserBusyError(WarehouseError):
    """Another run of the finaliser is at work."""

    def __init__(self) -> None:
        super().__init__(
            "Another run of the finaliser is at work: `spyglass server` makes one every few seconds.",
            "Wait for it; one that died is given up after two minutes.",
        )


class MigrationError(WarehouseError):
    """A migration is changed, missing or failed half way."""


class BackupError(WarehouseError):
    """A backup is damaged or incomplete, or cannot be written or restored here; ``path`` is its folder."""

    def __init__(self, path: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"Backup {path}: {problem}", remedy)
        self.path = path


class StillFoundError(WarehouseError):
    """What was to be forgotten is still in a table; ``places`` are the columns, as table.column."""

    def __init__(self, places: list[str]) -> None:
        super().__init__(
            f"The id is still found in {', '.join(places)}.",
            "Look at those rows; they belong to no trace of the user, or name the id in a text that is kept.",
        )
        self.places = places


class StoreError(SpyglassError):
    """Prometheus, Tempo or Alertmanager did not answer as expected."""


class DialectTableError(SpyglassError):
    """A row of a dialect's table cannot be compiled."""

    def __init__(self, row: str, value: str) -> None:
        super().__init__(f"dialects: {row}: {value!r} cannot be read.", "tables.py says what can.")
        self.row = row


class BenchError(SpyglassError):
    """A measurement could not be made."""
