"""Make executions, model calls and totals of the spans that came."""

from spyglass.warehouse.finaliser.runs import Run, catch_up, finalise
from spyglass.warehouse.finaliser.workplace import PATIENCE_SECONDS

__all__ = ["PATIENCE_SECONDS", "Run", "catch_up", "finalise"]
