"""The documentation says everything that there is, and its examples run."""

import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from spyglass.cli._commands import COMMANDS
from spyglass.names import METRICS
from spyglass.settings import ROWS, variable
from spyglass.warehouse import questions
from tests.conftest import Running, eventually

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_reference_pages_are_what_the_source_says() -> None:
    """The pages in docs/ are byte for byte what their generator makes."""
    done = subprocess.run(
        [sys.executable, "docs/build.py", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("settings.md", [variable(name) for name in ROWS]),
        ("commands.md", [f"## spyglass {name}\n" for name in COMMANDS]),
        ("questions.md", [f"## {name}\n" for name in questions.names()]),
        ("metrics.md", [f"`{metric.name}`" for metric in METRICS]),
    ],
)
def test_everything_is_documented(page: str, words: list[str]) -> None:
    """Every setting, command, question and metric has its line."""
    text = (ROOT / "docs" / page).read_text()
    assert [word for word in words if word not in text] == []


def test_every_folder_of_the_table_exists_and_introduces_itself() -> None:
    """Each folder that the README's table names exists and has a README of its own; the table leaves none out."""
    named = re.findall(r"^\| \[([\w-]+)\]\(([\w-]+/README.md)\) \|", README, re.MULTILINE)
    assert [path for _, path in named if not (ROOT / path).is_file()] == []
    folders = {path.parent.name for path in ROOT.glob("[!.]*/README.md")}
    assert folders - {name for name, _ in named} == set()


def test_links_in_the_documentation_lead_somewhere() -> None:
    """Every relative link of every Markdown file of the project points to a file."""
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    links = [
        (page, link)
        for page in map(ROOT.joinpath, tracked.split())
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    ]
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_targets_of_the_readme_exist() -> None:
    """Each `make` target that the README names is one of the Makefile's."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make (\w+)", README)) <= targets


@pytest.mark.stack
@pytest.mark.xdist_group("stack")
def test_examples_of_the_readme_run(running: Running, tmp_path: Path) -> None:
    """The README's program sends what its queries then find."""
    (program,) = _blocks("python")
    service = f"shop-{uuid.uuid4().hex[:8]}"
    script = tmp_path / "agent.py"
    script.write_text(program)
    environ = os.environ | {"SPYGLASS_ENDPOINT": running.endpoint, "SPYGLASS_SERVICE": service}
    subprocess.run([sys.executable, str(script)], env=environ, check=True)
    (sql,) = re.findall(r'spyglass sql "(.*)"', README)
    narrowed = sql.replace("WHERE", f"WHERE service = '{service}' AND")
    rows = eventually(lambda: running.warehouse.rows(narrowed))
    assert [(row["agent"], row["model"]) for row in rows] == [("librarian", "gpt-5-mini")]
    (promql,) = _blocks("promql")
    eventually(lambda: running.prometheus.query(promql.strip()))
    (traceql,) = _blocks("traceql")
    now = int(time.time())
    eventually(lambda: running.tempo.search(traceql.strip(), now - 600, now + 600))
