# ruff: noqa: INP001 -- Python finds this file by its folder on the path, never as part of a package
"""Start spyglass in every Python of ``spyglass run``: Python imports this module by itself before the program.

It then runs the sitecustomize that it hides, if there is one. It must be silent and harmless in a Python that has no
spyglass, and in an old one.
"""

import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120 -- pathlib is not imported before the program


def _hidden_sitecustomize() -> None:
    """Run the sitecustomize that comes next on the path."""
    path = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != _HERE]  # noqa: PTH100 -- as above
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _start() -> None:
    try:
        from spyglass.sdk.lifecycle import bootstrap  # noqa: PLC0415 -- may be missing in a child's environment
    except ImportError:
        return
    bootstrap()


_hidden_sitecustomize()
_start()
