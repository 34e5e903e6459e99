"""Make executions, model calls and totals of the spans that came."""

from spyglass.warehouse.finaliser.runs import Run, finalise

__all__ = ["Run", "finalise"]
