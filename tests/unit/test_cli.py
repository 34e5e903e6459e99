import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from spyglass.cli import main
from spyglass.cli._commands import COMMANDS
from spyglass.settings import ROWS

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("SPYGLASS_")}


def _spyglass(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spyglass", *words], capture_output=True, text=True, env=ENVIRON | environ, check=False
    )


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command that --help lists exists and explains itself."""
    with pytest.raises(SystemExit) as raised:
        main([command, "--help"])
    assert raised.value.code == 0
    assert COMMANDS[command] in " ".join(capsys.readouterr().out.split())


def test_version() -> None:
    """--version prints the version of the distribution."""
    assert _spyglass("--version").stdout == f"spyglass {version('spyglass')}\n"


def test_unknown_command_is_refused() -> None:
    """A command that does not exist ends with exit code 2 and the list of those that do."""
    done = _spyglass("upp")
    assert done.returncode == 2
    assert "invalid choice: 'upp'" in done.stderr


def test_settings_are_printed_with_their_source() -> None:
    """`settings --json` prints every setting once, with its value and source, and no secret."""
    done = _spyglass("settings", "--json", SPYGLASS_CONTENT="full", SPYGLASS_WAREHOUSE_READER_PASSWORD="hush-hush")
    rows = {row["variable"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert len(rows) == len(ROWS)
    assert (rows["SPYGLASS_CONTENT"]["value"], rows["SPYGLASS_CONTENT"]["source"]) == ("full", "environment")
    assert rows["SPYGLASS_WAREHOUSE_READER_PASSWORD"]["value"] == "(set)"
    assert "hush-hush" not in done.stdout


def test_unknown_setting_is_named() -> None:
    """A misspelt variable makes `settings` end with exit code 2 and name the right one."""
    done = _spyglass("settings", SPYGLASS_DATADIR="/x")
    assert done.returncode == 2
    assert done.stderr == "spyglass: SPYGLASS_DATADIR: no such setting. Did you mean SPYGLASS_DATA_DIR?\n"


def test_wrong_setting_is_one_sentence() -> None:
    """A value that cannot be is one sentence on stderr, exit code 2, and no stack trace."""
    done = _spyglass("settings", SPYGLASS_QUEUE_SIZE="many")
    assert (done.returncode, done.stderr) == (2, "spyglass: SPYGLASS_QUEUE_SIZE: 'many' is not a whole number.\n")
