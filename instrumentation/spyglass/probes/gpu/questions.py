"""List what is asked of each GPU, as data: one row per series, with the NVML call that answers it.

PCIe throughput is not asked: each call samples for 20 ms. Numbers and units are those of NVML's API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from spyglass.probes.gpu.nvml import known

# nvml.h
TEMPERATURE_GPU: Final = 0
THRESHOLD_SHUTDOWN: Final = 0
THRESHOLD_SLOWDOWN: Final = 1
CLOCK_SM: Final = 1
CLOCK_MEMORY: Final = 2
ERROR_CORRECTED: Final = 0
ERROR_UNCORRECTED: Final = 1
COUNTER_VOLATILE: Final = 0  # since the driver was loaded; the other kind goes back to the factory
FIELD_MEMORY_TEMPERATURE: Final = 82

# Bits of the clocks-event reasons that slow a busy GPU. Left out: idle, and clocks that somebody set.
THROTTLE_REASONS: Final = {
    "sw_power_cap": 0x4,
    "hw_slowdown": 0x8,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake_slowdown": 0x80,
}


Number = TypeVar("Number", int, float)


class Question(NamedTuple):
    """Describe one series and how to ask for it.

    ``functions`` are tried in their order with the GPU and ``arguments``; ``value`` turns the answer into a number in
    the metric's unit, or None.
    """

    metric: str
    attributes: Mapping[str, str]
    functions: tuple[str, ...]
    arguments: tuple[Any, ...]
    value: Callable[[Any], float | None]


def _celsius(raw: Any) -> float | None:
    return _map(raw, float)


def _thousandth(raw: Any) -> float | None:
    return _map(raw, lambda number: number / 1_000)


def _hertz(raw: Any) -> int | None:
    return _map(raw, lambda megahertz: megahertz * 1_000_000)


def _share(raw: Any) -> float | None:
    share = _map(raw, lambda percent: percent / 100)
    return share if share is not None and share <= 1 else None


def _field_celsius(raw: Any) -> float | None:
    field = raw[0]
    if field.nvmlReturn != 0:
        return None
    return _celsius(field.value.uiVal) or None  # a field that the GPU does not fill stays 0


def _map(raw: Any, convert: Callable[[int], Number]) -> Number | None:
    number = known(raw)
    return None if number is None else convert(number)


GPU: Final = {"hw.type": "gpu"}
DIE: Final = {"hw.sensor_location": "gpu_die"}
SLOWS: Final = DIE | {"hw.limit_type": "high.degraded"}
STOPS: Final = DIE | {"hw.limit_type": "high.critical"}
DOMAIN: Final = "spyglass.hw.gpu.clock.domain"

UTILIZATION: Final = ("nvmlDeviceGetUtilizationRates",)
ENCODER: Final = ("nvmlDeviceGetEncoderUtilization",)
DECODER: Final = ("nvmlDeviceGetDecoderUtilization",)
TEMPERATURE: Final = ("nvmlDeviceGetTemperature", "nvmlDeviceGetTemperatureV")  # the first is going to be removed
FIELDS: Final = ("nvmlDeviceGetFieldValues",)
THRESHOLD: Final = ("nvmlDeviceGetTemperatureThreshold",)
POWER: Final = ("nvmlDeviceGetPowerUsage",)
POWER_LIMIT: Final = ("nvmlDeviceGetEnforcedPowerLimit",)
ENERGY: Final = ("nvmlDeviceGetTotalEnergyConsumption",)
CLOCK: Final = ("nvmlDeviceGetClockInfo",)
ECC: Final = ("nvmlDeviceGetTotalEccErrors",)
MEMORY_FIELD: Final = [FIELD_MEMORY_TEMPERATURE]

QUESTIONS: Final = (
    Question("hw.gpu.utilization", {"hw.gpu.task": "general"}, UTILIZATION, (), lambda raw: _share(raw.gpu)),
    Question("hw.gpu.utilization", {"hw.gpu.task": "encoder"}, ENCODER, (), lambda raw: _share(raw[0])),
    Question("hw.gpu.utilization", {"hw.gpu.task": "decoder"}, DECODER, (), lambda raw: _share(raw[0])),
    Question("hw.temperature", DIE, TEMPERATURE, (TEMPERATURE_GPU,), _celsius),
    Question("hw.temperature", {"hw.sensor_location": "memory"}, FIELDS, (MEMORY_FIELD,), _field_celsius),
    Question("hw.temperature.limit", SLOWS, THRESHOLD, (THRESHOLD_SLOWDOWN,), _celsius),
    Question("hw.temperature.limit", STOPS, THRESHOLD, (THRESHOLD_SHUTDOWN,), _celsius),
    Question("hw.power", GPU, POWER, (), _thousandth),
    Question("spyglass.hw.gpu.power.limit", {}, POWER_LIMIT, (), _thousandth),
    Question("hw.energy", GPU, ENERGY, (), _thousandth),
    Question("spyglass.hw.gpu.clock.frequency", {DOMAIN: "sm"}, CLOCK, (CLOCK_SM,), _hertz),
    Question("spyglass.hw.gpu.clock.frequency", {DOMAIN: "memory"}, CLOCK, (CLOCK_MEMORY,), _hertz),
    Question("hw.errors", GPU | {"error.type": "corrected"}, ECC, (ERROR_CORRECTED, COUNTER_VOLATILE), known),
    Question("hw.errors", GPU | {"error.type": "uncorrected"}, ECC, (ERROR_UNCORRECTED, COUNTER_VOLATILE), known),
)
