"""Start the warehouse's process: read, bind and import everything, give up root's rights, open the engine, answer."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from spyglass.errors import PartError, PortTakenError, PriceError, SpyglassError
from spyglass.paths import data_directory
from spyglass.settings import Settings
from spyglass.warehouse import dictionaries, metrics, migrations, passwords, privileges, retention
from spyglass.warehouse.app import Gateway, State, application
from spyglass.warehouse.connection import Connection
from spyglass.warehouse.engine import Engine
from spyglass.warehouse.inprocess import InProcess
from spyglass.warehouse.inserts import GroupCommit
from spyglass.warehouse.limits import Limits
from spyglass.warehouse.passwords import Passwords
from spyglass.warehouse.prices import costs
from spyglass.warehouse.query_log import QueryLog
from spyglass.warehouse.reads import Reader

log = logging.getLogger("spyglass.warehouse")

_MEGABYTE = 1 << 20
# clickhouse-go keeps a connection for an hour and does not resend a body when the server closed it meanwhile.
_KEEP_ALIVE_SECONDS = 3_700
_STOP_SECONDS = 60


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was taken; raises SpyglassError where it cannot run."""
    folder = data_directory(settings) / "warehouse"
    privileges.prepare(folder, settings.warehouse_user)
    service = _Service(settings, folder)
    with _listen(settings) as listener:
        server = uvicorn.Server(_configuration(service.application()))
        service.server = server
        privileges.drop(settings.warehouse_user)
        privileges.check(folder)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _ignore)  # uvicorn handles them while it runs, and raises them again when it is done
        asyncio.run(server.serve(sockets=[listener]))  # its own run() imports late, when we may no longer read it
    if service.failure is not None:
        raise service.failure


class _Service:
    """Hold the parts together from start to stop."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._passwords: Passwords = passwords.ensure(settings)
        self._migrations = migrations.load()
        self._prices = _Prices(folder, settings)
        self._engine = Engine(folder, settings.warehouse_durability)
        self._state = State(self._engine, GroupCommit(self._engine), QueryLog(self._engine))
        self._limits = Limits.of(settings)
        self.server: uvicorn.Server | None = None
        self.failure: SpyglassError | None = None

    def application(self) -> Starlette:
        """Build the application that opens the engine when it starts and closes it when it stops."""
        queue_bytes = self._settings.warehouse_queue_mb * _MEGABYTE
        gateway = Gateway(self._state, self._passwords, queue_bytes, self._limits)
        return application(gateway, self._state, self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Answer from the start, so that /ping can say that the migrations still run."""
        preparing = asyncio.create_task(self._prepare())
        yield
        self._state.stopping = True
        await preparing
        await asyncio.to_thread(self._close)

    async def _prepare(self) -> None:
        try:
            await asyncio.to_thread(self._open)
            await asyncio.to_thread(self._migrate)
        except SpyglassError as error:
            self._fail(error)
            return
        except Exception as error:
            log.exception("the start failed")
            self._fail(PartError("warehouse", f"the start failed ({type(error).__name__}: {error})."))
            return
        self._state.ready = True
        metrics.READY.set(1)
        log.info("ready on port %d, engine %s", self._settings.port("warehouse"), self._engine.version)

    def _fail(self, error: SpyglassError) -> None:
        self.failure = error
        if self.server is not None:
            self.server.should_exit = True

    def _open(self) -> None:
        self._engine.open()
        self._state.reader = Reader(self._engine, self._limits)

    def _migrate(self) -> None:
        connection = InProcess(self._engine)
        migrations.apply(connection, self._migrations, log.info)
        for table in retention.apply(connection, self._settings):
            log.info("retention of %s set", table)
        self._prices.bring_up_to_date(connection)
        self._state.log.start()

    def _close(self) -> None:
        self._state.inserts.close()
        self._state.log.close()
        self._engine.close()
        log.info("stopped")


class _Prices:
    """Bring the price tables up to date where the package or the file of prices is another than at the last start."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        path = settings.prices_file
        # read now: later this process may be another user
        self._refresh = costs.refreshing(timedelta(hours=settings.cost_closing_hours))
        self._version_file = folder / "prices.version"
        versions = [version("genai-prices"), version("spyglass")]  # another spyglass may make other rows of the package
        self._version = " ".join([*versions, *([_fingerprint(path)] if path else [])])
        self._synchronise: Callable[[Connection], int] | None = None
        if not self._version_file.is_file() or self._version_file.read_text("utf-8").strip() != self._version:
            self._synchronise = _import_prices(path)

    def bring_up_to_date(self, connection: Connection) -> None:
        """Write the prices if they changed, and load those of the table.

        A file that contradicts what was set by hand changes nothing: only a warehouse that runs can be mended.
        """
        if self._synchronise is not None:
            try:
                log.info("%d prices written", self._synchronise(connection))
                self._version_file.write_text(f"{self._version}\n", "utf-8")
            except PriceError as error:
                log.warning("the prices stay as they are: %s", error)
        dictionaries.reload_prices(connection)
        if self._synchronise is not None:
            connection.execute(self._refresh)


def _fingerprint(path: str) -> str:
    """Return a hash of the file; of one that cannot be read it is that of nothing, and reading it says why."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _import_prices(path: str) -> Callable[[Connection], int]:
    """Import what costs 70 MB and read the file, only where it is needed; as root: later it may be out of reach."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 -- see above

    from spyglass.warehouse.prices import file as price_file  # noqa: PLC0415 -- see above
    from spyglass.warehouse.prices import table as price_table  # noqa: PLC0415 -- see above

    get_snapshot()
    return partial(price_table.synchronise, book=price_file.read(path) if path else None)


def _configuration(app: Starlette) -> uvicorn.Config:
    configuration = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    configuration.load()  # imports what it needs
    return configuration


def _listen(settings: Settings) -> socket.socket:
    port = settings.port("warehouse")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Its connections inherit it. Without, the second packet of an answer waits 40 ms for the first to be acknowledged.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise PortTakenError("warehouse", port, "another process") from None
    return listener


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the server has stopped already."""
