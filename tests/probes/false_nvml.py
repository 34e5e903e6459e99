"""Stand in for libnvidia-ml.so.1 below the real pynvml, so that pynvml's own code runs: its structs, errors, sentinels.

Functions take what pynvml gives them through ctypes, fill it in, and return an nvmlReturn_t.
"""

# ruff: noqa: N802 -- the names are the C library's
from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pynvml

SUCCESS = 0
NOT_SUPPORTED = 3
NOT_FOUND = 6
INSUFFICIENT_SIZE = 7
DRIVER_NOT_LOADED = 9
GPU_IS_LOST = 15
NO_UINT = 2**32 - 1
NO_ULONG = 2**64 - 1
MEMORY_TEMPERATURE = 82


class Fails(int):
    """Stand in for a value where NVML answers with this error."""


UNKNOWN = Fails(NOT_SUPPORTED)


@dataclass
class Gpu:
    """Hold what one GPU, or MIG slice, tells; the values are those of a busy data-centre GPU with two fans."""

    uuid: str = "GPU-0a"
    name: str = "NVIDIA A100-SXM4-80GB"
    utilization: int = 93
    encoder: int = 5
    decoder: int = 7
    memory: Mapping[str, int] | Fails = field(
        default_factory=lambda: {"total": 80 << 30, "used": 20 << 30, "free": 59 << 30, "reserved": 1 << 30}
    )
    temperatures: Mapping[int, int] = field(default_factory=lambda: {0: 61})
    fields: Mapping[int, int] = field(default_factory=lambda: {MEMORY_TEMPERATURE: 74})
    thresholds: Mapping[int, int] = field(default_factory=lambda: {0: 92, 1: 89})
    power: int = 312_500
    power_limit: int = 400_000
    energy: int = 987_654_321
    clocks: Mapping[int, int] = field(default_factory=lambda: {1: 1410, 2: 1593})
    reasons: int = 0x4 | 0x20
    supported_reasons: int = 0x4 | 0x8 | 0x20 | 0x40 | 0x80
    ecc: Mapping[int, int] = field(default_factory=lambda: {0: 3, 1: 0})
    fans: list[int] = field(default_factory=lambda: [30, 45])
    compute: list[tuple[int, int]] = field(default_factory=lambda: [(100, 5 << 30), (101, 2 << 30), (102, 1 << 30)])
    graphics: list[tuple[int, int]] = field(default_factory=lambda: [(102, 1 << 30)])
    slices: list[Gpu | None] = field(default_factory=list)
    lost: bool = False

    def silent(self) -> Gpu:
        """Return a GPU that supports nothing but telling its name."""
        nothing: dict[str, Any] = dict.fromkeys(
            ("utilization", "encoder", "decoder", "memory", "power", "power_limit", "energy", "reasons"), UNKNOWN
        )
        tables: dict[str, Any] = {name: {} for name in ("temperatures", "fields", "thresholds", "clocks", "ecc")}
        return Gpu(self.uuid, self.name, **nothing, **tables, fans=[], compute=[], graphics=[])


PROCESSES = {
    100: b"/usr/bin/python3 train.py --api-key=sk-secret",
    101: b"/usr/bin/python3",
    102: b"C:\\Apps X\\viewer.exe",
}


class Library:
    """Answer like the C library; ``missing`` are functions that an old driver does not have."""

    def __init__(self, *gpus: Gpu, init: int = SUCCESS, missing: tuple[str, ...] = ()) -> None:
        self.gpus = list(gpus)
        self.init = init
        self.missing = missing
        self.calls: list[str] = []
        self._handles: dict[int, Gpu] = {}

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name in self.missing or name.startswith("__"):
            raise AttributeError(name)
        function = self._function(name)

        def call(*arguments: Any) -> int:
            self.calls.append(name)
            gpu = self._gpu(arguments[0]) if name.startswith("nvmlDevice") and "HandleBy" not in name else None
            if gpu is not None and gpu.lost and name != "nvmlDeviceGetCount_v2":
                return GPU_IS_LOST
            return int(function(*arguments))

        return call

    def _function(self, name: str) -> Callable[..., int]:
        if name in WORDS:
            return lambda handle, out: _fill(out, getattr(self._known(handle), WORDS[name]))
        if name in PAIRS:
            return lambda handle, out, _period: _fill(out, getattr(self._known(handle), PAIRS[name]))
        if name in TABLES:
            return lambda handle, *rest: _fill(
                rest[-1], getattr(self._known(handle), TABLES[name]).get(_number(rest[0]), UNKNOWN)
            )
        if name in TEXTS:
            return lambda handle, buffer, _size: _write(buffer, getattr(self._known(handle), TEXTS[name]).encode())
        found = getattr(type(self), f"_{name}", None)
        if found is None:
            raise AttributeError(name)
        return lambda *arguments: int(found(self, *arguments))

    def _gpu(self, handle: Any) -> Gpu | None:
        contents = getattr(handle, "contents", None)
        return None if contents is None else self._handles[ctypes.addressof(contents)]

    def _known(self, handle: Any) -> Gpu:
        gpu = self._gpu(handle)
        assert gpu is not None
        return gpu

    def _give(self, out: Any, gpu: Gpu) -> int:
        opaque = pynvml.struct_c_nvmlDevice_t()
        out._obj.contents = opaque
        KEPT.append(opaque)
        self._handles[ctypes.addressof(out._obj.contents)] = gpu
        return SUCCESS

    def _nvmlInitWithFlags(self, _flags: int) -> int:
        return self.init

    def _nvmlShutdown(self) -> int:
        return SUCCESS

    def _nvmlSystemGetDriverVersion(self, buffer: Any, _size: Any) -> int:
        return _write(buffer, b"550.54.15")

    def _nvmlSystemGetProcessName(self, pid: Any, buffer: Any, _size: Any) -> int:
        name = PROCESSES.get(pid.value)
        return NOT_FOUND if name is None else _write(buffer, name)

    def _nvmlDeviceGetCount_v2(self, out: Any) -> int:
        return _fill(out, len(self.gpus))

    def _nvmlDeviceGetHandleByIndex_v2(self, index: Any, out: Any) -> int:
        gpu = self.gpus[index.value]
        return GPU_IS_LOST if gpu.lost else self._give(out, gpu)

    def _nvmlDeviceGetUtilizationRates(self, handle: Any, out: Any) -> int:
        value = self._known(handle).utilization
        out._obj.gpu = value
        return int(value) if isinstance(value, Fails) else SUCCESS

    def _nvmlDeviceGetMemoryInfo(self, handle: Any, out: Any) -> int:
        memory = self._known(handle).memory
        if isinstance(memory, Fails):
            return memory
        both = {"total": memory["total"], "used": memory["used"] + memory["reserved"], "free": memory["free"]}
        return _set(out, both)

    def _nvmlDeviceGetMemoryInfo_v2(self, handle: Any, out: Any) -> int:
        memory = self._known(handle).memory
        return memory if isinstance(memory, Fails) else _set(out, memory)

    def _nvmlDeviceGetFieldValues(self, handle: Any, _count: Any, out: Any) -> int:
        for one in out._obj:
            value = self._known(handle).fields.get(one.fieldId, UNKNOWN)
            one.nvmlReturn = int(value) if isinstance(value, Fails) else SUCCESS
            one.value.uiVal = 0 if isinstance(value, Fails) else value
        return SUCCESS

    def _nvmlDeviceGetNumFans(self, handle: Any, out: Any) -> int:
        return _fill(out, len(self._known(handle).fans) or UNKNOWN)

    def _nvmlDeviceGetFanSpeed_v2(self, handle: Any, fan: int, out: Any) -> int:
        return _fill(out, self._known(handle).fans[fan])

    def _nvmlDeviceGetComputeRunningProcesses_v3(self, handle: Any, count: Any, out: Any) -> int:
        return _list(self._known(handle).compute, count, out)

    def _nvmlDeviceGetGraphicsRunningProcesses_v3(self, handle: Any, count: Any, out: Any) -> int:
        return _list(self._known(handle).graphics, count, out)

    def _nvmlDeviceGetMigMode(self, handle: Any, current: Any, pending: Any) -> int:
        mode = 1 if self._known(handle).slices else UNKNOWN
        return _fill(current, mode) or _fill(pending, mode)

    def _nvmlDeviceGetMaxMigDeviceCount(self, handle: Any, out: Any) -> int:
        return _fill(out, len(self._known(handle).slices))

    def _nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, index: Any, out: Any) -> int:
        part = self._known(handle).slices[index.value]
        return NOT_FOUND if part is None else self._give(out, part)


KEPT: list[Any] = []  # what handles point to must outlive them

WORDS = {
    "nvmlDeviceGetPowerUsage": "power",
    "nvmlDeviceGetEnforcedPowerLimit": "power_limit",
    "nvmlDeviceGetTotalEnergyConsumption": "energy",
    "nvmlDeviceGetCurrentClocksEventReasons": "reasons",
    "nvmlDeviceGetCurrentClocksThrottleReasons": "reasons",
    "nvmlDeviceGetSupportedClocksEventReasons": "supported_reasons",
    "nvmlDeviceGetSupportedClocksThrottleReasons": "supported_reasons",
}
PAIRS = {"nvmlDeviceGetEncoderUtilization": "encoder", "nvmlDeviceGetDecoderUtilization": "decoder"}
TABLES = {
    "nvmlDeviceGetTemperature": "temperatures",
    "nvmlDeviceGetTemperatureThreshold": "thresholds",
    "nvmlDeviceGetClockInfo": "clocks",
    "nvmlDeviceGetTotalEccErrors": "ecc",
}
TEXTS = {"nvmlDeviceGetUUID": "uuid", "nvmlDeviceGetName": "name"}


def _number(value: Any) -> int:
    return int(getattr(value, "value", value))


def _fill(out: Any, value: int) -> int:
    if isinstance(value, Fails):
        return int(value)
    out._obj.value = value
    return SUCCESS


def _write(buffer: Any, text: bytes) -> int:
    buffer.value = text
    return SUCCESS


def _set(out: Any, values: Mapping[str, int]) -> int:
    for name, value in values.items():
        setattr(out._obj, name, value)
    return SUCCESS


def _list(running: list[tuple[int, int]], count: Any, out: Any) -> int:
    if out is None:
        count._obj.value = len(running)
        return INSUFFICIENT_SIZE if running else SUCCESS
    count._obj.value = len(running)
    for one, (pid, used) in zip(out, running, strict=False):
        one.pid, one.usedGpuMemory = pid, used
    return SUCCESS
