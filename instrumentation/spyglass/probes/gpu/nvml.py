"""Ask NVML so that an answer is a number or nothing.

NVML says "I do not know" in three ways: an error, a number with all bits set, and (in pynvml) None or an absent
function. All three become None, and only an error that means that the GPU is gone is raised on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# nvmlReturn_t; the numbers are part of the library's interface.
UNINITIALIZED = 1
GPU_IS_LOST = 15
RESET_REQUIRED = 16
GONE = {UNINITIALIZED, GPU_IS_LOST, RESET_REQUIRED}

NOT_AVAILABLE = {2**32 - 1, 2**64 - 1}


class GoneError(Exception):
    """The GPU does not answer any more; never leaves this package."""


class Nvml:
    """Wrap the module pynvml, or an object that behaves like it."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.error: type[Exception] = module.NVMLError

    def ask_first(self, functions: Sequence[str], *arguments: Any) -> Any:
        """Return the first answer that one of the functions has, or None."""
        return next((found for name in functions if (found := self.ask(name, *arguments)) is not None), None)

    def ask(self, function: str, *arguments: Any) -> Any:
        """Return what the function returns, or None; raises GoneError when the GPU is lost."""
        try:
            return getattr(self.module, function)(*arguments)
        except (AttributeError, UnicodeDecodeError):  # a pynvml that lacks the function, a name that is no text
            return None
        except self.error as error:
            if getattr(error, "value", None) in GONE:
                raise GoneError(str(error)) from None
            return None

    def text(self, function: str, *arguments: Any) -> str:
        """Return a text, "" when there is none."""
        found = self.ask(function, *arguments)
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found or "")


def known(value: Any) -> int | None:
    """Return the number, or None for a number with all bits set and for what is none."""
    return None if value is None or value in NOT_AVAILABLE else int(value)
