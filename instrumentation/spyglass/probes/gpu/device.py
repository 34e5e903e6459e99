"""Read one GPU, or one MIG slice of a GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from spyglass.probes.catalog import ENTRIES, MakeSeries, Sample, Series
from spyglass.probes.gpu.nvml import Nvml, known
from spyglass.probes.gpu.questions import QUESTIONS, THROTTLE_REASONS

RUNNING_PROCESSES = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses")
EVENT_REASONS = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
REASON = "spyglass.hw.gpu.throttle.reason"
PROGRAM = "process.executable.name"
MIG_ENABLED = 1
SUPPORTED_REASONS = ("nvmlDeviceGetSupportedClocksEventReasons", "nvmlDeviceGetSupportedClocksThrottleReasons")


class Device:
    """Hold the handle and the series of a GPU or a slice; ``identity`` are its hw.* attributes."""

    def __init__(self, nvml: Nvml, handle: Any, identity: Mapping[str, str], series: MakeSeries) -> None:
        self.handle = handle
        self.identity = identity
        self._nvml = nvml
        self._make_series = series
        self._series: dict[tuple[str, ...], Series] = {}
        self._slices: dict[str, Device] = {}

    def collect(self) -> list[Sample]:
        """Return every value that the GPU tells now; raises GoneError when it does not answer any more."""
        samples = [*self._answers(), *self._memory(), *self._throttling(), *self._fans(), *self._processes()]
        for part in self._mig_slices():
            samples += [*part._memory(), *part._processes()]  # noqa: SLF001 -- NVML tells no more of a slice
        return samples

    def _answers(self) -> list[Sample]:
        samples: list[Sample] = []
        for question in QUESTIONS:
            raw = self._nvml.ask_first(question.functions, self.handle, *question.arguments)
            value = None if raw is None else question.value(raw)
            if value is not None:
                samples.append(self._sample(value, question.metric, question.attributes))
        return samples

    def _memory(self) -> list[Sample]:
        # The second version leaves out what the driver reserves, as nvidia-smi does; old drivers have only the first.
        version = getattr(self._nvml.module, "nvmlMemory_v2", None)
        info = self._nvml.ask("nvmlDeviceGetMemoryInfo", self.handle, version) if version else None
        info = info or self._nvml.ask("nvmlDeviceGetMemoryInfo", self.handle)
        used, total = (known(info.used), known(info.total)) if info else (None, None)
        if used is None or not total:
            return []
        return [
            self._sample(total, "hw.gpu.memory.limit"),
            self._sample(used, "hw.gpu.memory.usage"),
            self._sample(used / total, "hw.gpu.memory.utilization"),
        ]

    def _throttling(self) -> list[Sample]:
        active = known(self._nvml.ask_first(EVENT_REASONS, self.handle))
        if active is None:
            return []
        supported = known(self._nvml.ask_first(SUPPORTED_REASONS, self.handle))
        return [
            self._sample(int(bool(active & bit)), "spyglass.hw.gpu.throttle.active", {REASON: name})
            for name, bit in THROTTLE_REASONS.items()
            if supported is None or supported & bit
        ]

    def _fans(self) -> list[Sample]:
        samples: list[Sample] = []
        for fan in range(known(self._nvml.ask("nvmlDeviceGetNumFans", self.handle)) or 0):
            percent = known(self._nvml.ask("nvmlDeviceGetFanSpeed_v2", self.handle, fan))
            if percent is not None:
                gpu, name = self.identity["hw.id"], self.identity["hw.name"]
                itself = {"hw.id": f"{gpu}/fan{fan}", "hw.name": f"{name}/fan{fan}", "hw.parent": gpu}
                samples.append(self._sample(percent / 100, "hw.fan.speed_ratio", itself))
        return samples

    def _processes(self) -> list[Sample]:
        # A process that computes and draws stands in both lists with the same memory.
        running = {
            process.pid: known(process.usedGpuMemory)
            for function in RUNNING_PROCESSES
            for process in self._nvml.ask(function, self.handle) or ()
        }
        programs: dict[str, list[int | None]] = {}
        for pid, size in running.items():
            programs.setdefault(program(self._nvml.text("nvmlSystemGetProcessName", pid)), []).append(size)
        return [
            self._sample(sum(filter(None, sizes)), "spyglass.process.gpu.memory.usage", {PROGRAM: name} if name else {})
            for name, sizes in sorted(programs.items())
            if None not in sizes  # a sum of which a part is unknown is unknown
        ]

    def _mig_slices(self) -> Iterator[Device]:
        mode = self._nvml.ask("nvmlDeviceGetMigMode", self.handle)
        if not mode or mode[0] != MIG_ENABLED:
            return
        for index in range(self._nvml.ask("nvmlDeviceGetMaxMigDeviceCount", self.handle) or 0):
            handle = self._nvml.ask("nvmlDeviceGetMigDeviceHandleByIndex", self.handle, index)
            uuid = self._nvml.text("nvmlDeviceGetUUID", handle) if handle is not None else ""
            if uuid:
                yield self._slice(handle, uuid, index)

    def _slice(self, handle: Any, uuid: str, index: int) -> Device:
        part = self._slices.get(uuid)
        if part is None:
            gpu, name = self.identity["hw.id"], f"{self.identity['hw.name']}/mig{index}"
            identity = {**self.identity, "hw.id": uuid, "hw.name": name, "hw.parent": gpu}
            if model := self._nvml.text("nvmlDeviceGetName", handle):
                identity["hw.model"] = model
            part = self._slices[uuid] = Device(self._nvml, handle, identity, self._make_series)
        part.handle = handle
        return part

    def _sample(self, value: float, metric: str, attributes: Mapping[str, str] | None = None) -> Sample:
        own = attributes or {}
        key = (metric, *own.values())
        series = self._series.get(key)
        if series is None:
            allowed = ENTRIES[metric].attributes
            identity = {name: text for name, text in self.identity.items() if name in allowed and text}
            series = self._series[key] = self._make_series(metric, {**identity, **own})
        return series, value


def program(command: str) -> str:
    r"""Return the name of a program from what NVML calls the name of its process: a path, perhaps with arguments.

    Arguments hold secrets and would make a series per run. A path with ``\`` is Windows' and may contain spaces.
    """
    path = command if "\\" in command else command.split(" ", 1)[0]
    return re.split(r"[/\\]", path)[-1]
