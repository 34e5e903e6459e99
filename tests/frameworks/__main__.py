"""Run every framework in its own environment, judge what the warehouse counts, and write docs/frameworks.md.

``python -m tests.frameworks [NAME…] [--newest]``; the exit code is 1 where a difference has no reason. With names the
page is left alone. With --newest the newest versions take the place of the locked ones, and nothing is judged.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from spyglass.errors import SpyglassError
from tests.frameworks import environments, live, page
from tests.frameworks.catalogue import Framework, frameworks
from tests.frameworks.outcome import Outcome


def main() -> int:
    """Run, print a line for each framework and the sum, and return the exit code."""
    arguments = _arguments()
    known = frameworks()
    chosen = [known[name] for name in arguments.names or known]
    seen: dict[str, Outcome] = {}
    with live.started() as stack:
        problems = [_tried(stack, framework, seen, newest=arguments.newest) for framework in chosen]
    failed = len([problem for problem in problems if problem])
    if not (failed or arguments.names or arguments.newest):
        page.write(seen)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return int(failed > 0 and not arguments.newest)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.frameworks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="run only these")
    parser.add_argument("--newest", action="store_true", help="take the newest versions, and only report")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in frameworks()]
    if unknown:
        parser.error(f"There is no program for {', '.join(unknown)}. There are: {', '.join(frameworks())}.")
    return arguments


def _tried(stack: live.Live, framework: Framework, seen: dict[str, Outcome], *, newest: bool) -> str:
    """Run one framework and print what came of it; return what is wrong in one line, nothing where all is well."""
    print(f"{framework.name} …", file=sys.stderr, flush=True)
    try:
        made = environments.prepare(framework, newest=newest)
        with tempfile.TemporaryDirectory() as home:
            seen[framework.name] = stack.run(framework, made.python, Path(home))
    except subprocess.SubprocessError as error:
        problem = f"{framework.name}: {error}"
    except (AssertionError, SpyglassError) as error:
        problem = f"{framework.name}: {error}"
    else:
        print(page.line(framework, seen[framework.name], made.lock))
        problem = seen[framework.name].problem
    if problem:
        print(f"WRONG {problem}")
    return problem


if __name__ == "__main__":
    sys.exit(main())
