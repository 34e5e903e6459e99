"""Give tests a whole stack, one per test process, ways to ask it, and a real browser."""

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, sync_playwright

from spyglass import stores
from spyglass.bench.alert import Sink
from spyglass.stack.local import LocalStack
from spyglass.warehouse import client
from spyglass.warehouse.client import Warehouse

PATIENCE_SECONDS = 60.0
# Without these it asks the network for updates; without a sandbox it runs as root too.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
T = TypeVar("T")


class Running:
    """Hold a running stack, a webhook's sink, and clients of the stores."""

    def __init__(self, stack: LocalStack, sink: Sink) -> None:
        self.stack = stack
        self.sink = sink
        self.settings = stack.settings
        self.endpoint = stores.address(stack.settings, "otlp_http")
        self.prometheus = stores.prometheus(stack.settings)
        self.tempo = stores.tempo(stack.settings)

    @property
    def warehouse(self) -> Warehouse:
        """Return a reader; a new one each time, because tests restart the warehouse."""
        return client.reader(self.settings)

    def dead_letters(self) -> list[dict[str, Any]]:
        """Return what the warehouse could not store."""
        return self.warehouse.rows("SELECT source, table_name, reason, rows, bytes FROM dead_letters")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start a whole stack whose alerts also go to a webhook on loopback, and stop it at the end."""
    sink = Sink()
    address = tmp_path_factory.mktemp("sink") / "url"
    address.write_text(sink.url)
    with LocalStack(settings={"webhook_url_file": str(address), "content": "full"}) as stack:
        yield Running(stack, sink)
    sink.close()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium without a window, for one test: Playwright's event loop runs as long as it does."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "no chromium on PATH: `make browser` installs Debian's package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def eventually(ask: Callable[[], T], accept: Callable[[T], object] = bool, seconds: float = PATIENCE_SECONDS) -> T:
    """Ask until the answer is accepted; fail with the last answer when patience ends."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if accept(answer):
            return answer
        assert time.monotonic() < deadline, f"after {seconds} s the answer is still {answer!r}"
        time.sleep(0.1)
