"""Watch NVIDIA's GPUs through NVML. No GPU and no driver is nothing to complain about: there are no samples then."""

from __future__ import annotations

import importlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from spyglass.probes.catalog import MakeSeries, Sample, maker
from spyglass.probes.gpu.device import Device
from spyglass.probes.gpu.nvml import GoneError, Nvml
from spyglass.probes.probe import Finding, FindingState

VENDOR = "NVIDIA"
FIND_AGAIN_SECONDS = 60.0
UNTRIED = "nothing was collected yet"

logger = logging.getLogger("spyglass.probes")


class GpuProbe:
    """Watch all GPUs.

    ``nvml`` is the module pynvml or what behaves like it; None imports it at the first collection, which is also when
    NVML is initialised. ``start_ns`` is the Unix time of boot, before which no driver counted. What is missing or lost
    is looked for again every minute, by ``clock`` (seconds, monotonic).
    """

    name = "gpu"

    def __init__(self, nvml: Any = None, *, start_ns: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._module = nvml
        self._running = False
        self._series: MakeSeries = maker(start_ns)
        self._clock = clock
        self._known: dict[str, Device] = {}
        self._devices: dict[str, Device] = {}
        self._lost: dict[str, str] = {}
        self._absent = UNTRIED
        self._find_at = float("-inf")

    def collect(self) -> list[Sample]:
        """Return the samples of every GPU that answers, and of its MIG slices."""
        if (self._absent or self._lost) and self._clock() >= self._find_at:
            self._find()
        samples: list[Sample] = []
        for uuid, device in list(self._devices.items()):
            try:
                samples += device.collect()
            except GoneError as error:
                self._lose(uuid, str(error))
        return samples

    def findings(self) -> list[Finding]:
        """Return one line that says which GPUs are watched or why none is, and one for each lost GPU."""
        lines = [
            Finding(self.name, FindingState.PARTIAL, f"{uuid} is lost ({why}).") for uuid, why in self._lost.items()
        ]
        if self._absent:
            return [Finding(self.name, FindingState.ABSENT, f"No GPU is watched: {self._absent}."), *lines]
        models = Counter(device.identity["hw.model"] for device in self._devices.values())
        sentence = ", ".join(f"{count} x {model}" for model, count in models.items()) or "No GPU answers"
        return [Finding(self.name, FindingState.OK if models else FindingState.ABSENT, f"{sentence}."), *lines]

    def close(self, *, forked: bool = False) -> None:
        """Give NVML back; the next collection initialises it again. A forked child must not touch the parent's."""
        if forked:
            self._running = False
        self._shut_down()
        self._devices, self._lost = {}, {}
        self._absent, self._find_at = UNTRIED, float("-inf")

    def _find(self) -> None:
        self._find_at = self._clock() + FIND_AGAIN_SECONDS
        try:
            self._devices = dict(self._enumerate(self._initialise()))
        except Exception as error:  # noqa: BLE001 -- no package, no library, no driver, or one that is broken
            self._devices = {}
            self._absent = str(error).rstrip(".") or type(error).__name__
            return
        self._lost = {uuid: why for uuid, why in self._lost.items() if uuid not in self._devices}
        self._absent = "" if self._devices or self._lost else "the driver knows no GPU"

    def _initialise(self) -> Nvml:
        if self._module is None:
            self._module = importlib.import_module("pynvml")
        self._shut_down()  # the handle of a GPU that came back is only good after a new start
        self._module.nvmlInit()
        self._running = True
        return Nvml(self._module)

    def _enumerate(self, nvml: Nvml) -> Iterator[tuple[str, Device]]:
        driver = nvml.text("nvmlSystemGetDriverVersion")
        for index in range(nvml.ask("nvmlDeviceGetCount") or 0):
            try:
                handle = nvml.ask("nvmlDeviceGetHandleByIndex", index)
                uuid = nvml.text("nvmlDeviceGetUUID", handle) if handle is not None else ""
                model = nvml.text("nvmlDeviceGetName", handle) if uuid else ""
            except GoneError:
                continue
            if uuid:
                names = {"hw.id": uuid, "hw.name": f"gpu{index}", "hw.model": model}
                yield uuid, self._device(nvml, handle, names | {"hw.vendor": VENDOR, "hw.driver_version": driver})

    def _device(self, nvml: Nvml, handle: Any, identity: dict[str, str]) -> Device:
        device = self._known.get(identity["hw.id"])
        if device is None or device.identity != identity:
            device = self._known[identity["hw.id"]] = Device(nvml, handle, identity, self._series)
        device.handle = handle
        return device

    def _lose(self, uuid: str, why: str) -> None:
        del self._devices[uuid]
        self._lost[uuid] = why
        self._find_at = self._clock() + FIND_AGAIN_SECONDS
        logger.warning("GPU %s does not answer any more (%s); it is looked for again every minute.", uuid, why)

    def _shut_down(self) -> None:
        if not self._running:
            return
        self._running = False
        try:
            self._module.nvmlShutdown()
        except Exception as error:  # noqa: BLE001 -- whatever a broken driver says at the end, nobody can mend it here
            logger.debug("nvmlShutdown: %s", error)
