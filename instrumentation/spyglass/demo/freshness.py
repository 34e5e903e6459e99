"""Measure how soon after its end a span can be found in each store, with probe spans while the fleet works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import spyglass
from spyglass import names, stores
from spyglass.errors import StoreError, WarehouseError
from spyglass.prometheus_names import label_name, series_name
from spyglass.settings import Settings
from spyglass.warehouse import client

SERVICE = "demo-probe"
PATIENCE_SECONDS = 15.0
POLL_SECONDS = 0.03
PAUSE_SECONDS = 2.0
FOUND = "SELECT count() AS spans FROM spans WHERE trace_id = {trace:String}"
Known = Callable[[], bool]


class Freshness:
    """Send probe spans through the SDK, one at a time, until stopped.

    ``seconds`` holds, by store, how long each probe took from its end until it was found; a probe that was not found
    within 15 s is left out.
    """

    def __init__(self, settings: Settings) -> None:
        self.seconds: dict[str, list[float]] = {"warehouse": [], "tempo": [], "prometheus": []}
        self._warehouse = client.reader(settings)
        self._tempo = stores.tempo(settings)
        self._prometheus = stores.prometheus(settings)
        self._endpoint = stores.address(settings, "otlp_http")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="freshness", daemon=True)

    def start(self) -> None:
        """Begin to probe."""
        spyglass.init(
            service=SERVICE,
            endpoint=self._endpoint,
            organization=names.DEMO_ORGANIZATION,
            demo=True,
            instrument="none",
            probes="none",
            logs=False,
        )
        self._thread.start()

    def stop(self) -> None:
        """End the present probe and stop."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._warehouse.close()
        spyglass.shutdown()

    def _run(self) -> None:
        while not self._stopped.wait(PAUSE_SECONDS):
            with suppress(StoreError, WarehouseError):  # a store that is away has no figure: the summary names it
                self._probe()

    def _probe(self) -> None:
        before = self._calls()
        with spyglass.tool("freshness probe") as probe:  # an agent would count as a run
            pass
        ended = time.time()
        self._wait(
            {
                "warehouse": lambda: bool(self._warehouse.rows(FOUND, trace=probe.trace_id)[0]["spans"]),
                "tempo": lambda: self._tempo.trace(probe.trace_id) is not None,
                "prometheus": lambda: self._calls() > before,
            },
            ended,
        )

    def _wait(self, waiting: Mapping[str, Known], ended: float) -> None:
        left = dict(waiting)
        while left and time.time() - ended < PATIENCE_SECONDS and not self._stopped.is_set():
            for store in [store for store, known in left.items() if known()]:
                self.seconds[store].append(time.time() - ended)
                del left[store]
            time.sleep(POLL_SECONDS)

    def _calls(self) -> float:
        labels = {names.SERVICE_NAME: SERVICE, names.ORGANIZATION: names.DEMO_ORGANIZATION}
        matchers = ",".join(f'{label_name(key)}="{value}"' for key, value in labels.items())
        return self._prometheus.value(f"sum({series_name(names.CALLS)}{{{matchers}}})") or 0.0
