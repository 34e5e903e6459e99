"""Make the probe of a name for the system that this process runs on; each imports only what it needs."""

from __future__ import annotations

import sys

from spyglass.probes.probe import Probe

LINUX = sys.platform.startswith("linux")
NANO = 1_000_000_000


def host() -> Probe:
    """Return the probe of this host."""
    if LINUX:
        from spyglass.probes.host import HostProbe  # noqa: PLC0415 -- see above

        return HostProbe()
    import psutil  # noqa: PLC0415 -- see above

    from spyglass.probes.portable import PortableHost  # noqa: PLC0415 -- see above

    return PortableHost(psutil)


def process() -> Probe:
    """Return the probe of this process."""
    if LINUX:
        from spyglass.probes.process import ProcessProbe  # noqa: PLC0415 -- see above

        return ProcessProbe()
    import psutil  # noqa: PLC0415 -- see above

    from spyglass.probes.portable import PortableProcess  # noqa: PLC0415 -- see above

    return PortableProcess(psutil.Process(), psutil.cpu_count() or 1)


def gpu() -> Probe:
    """Return the probe of the GPUs; NVML is loaded at its first collection."""
    import psutil  # noqa: PLC0415 -- see above

    from spyglass.probes.gpu import GpuProbe  # noqa: PLC0415 -- see above

    return GpuProbe(start_ns=int(psutil.boot_time()) * NANO)


BUILDERS = {"host": host, "process": process, "gpu": gpu}
