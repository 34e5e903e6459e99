"""Serve the alert inbox and run the background jobs."""

from __future__ import annotations

import argparse
import logging

import uvicorn

from spyglass.server.app import build
from spyglass.server.jobs import jobs
from spyglass.settings import load
from spyglass.warehouse import client


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options: there are none beyond the settings."""
    del parser


def run(_: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = load().settings
    uvicorn.run(
        build(client.machinery(settings), jobs(settings)),
        host="127.0.0.1",
        port=settings.port("server"),
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
    return 0
