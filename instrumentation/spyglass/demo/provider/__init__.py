"""Serve the APIs of model providers on loopback, deterministically, and keep the truth about what was served."""

from spyglass.demo.provider.server import Provider
from spyglass.demo.provider.timing import Timing
from spyglass.demo.provider.truth import Call, Truth

__all__ = ["Call", "Provider", "Timing", "Truth"]
