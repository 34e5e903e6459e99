"""Hold what waits for export, bounded, and send it from one thread of its own; the caller only appends.

What cannot be sent now is kept and sent again, until the queue is full: then what is new is dropped, and counted.
Every lock here is re-entrant, and the thread is woken through a SimpleQueue, because a span may end inside the garbage
collector, in a thread that holds the very same lock.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from enum import Enum, auto
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from spyglass.sdk.notices import warn_once
from spyglass.sdk.report import DropReason, Signal

T = TypeVar("T")
R = TypeVar("R")

BATCH_ITEMS = 512
BATCH_BYTES = 4 * 1024 * 1024
MOST_BYTES = 60 * 1024 * 1024  # of one item; the collector's receivers take 64 MiB
_LONGEST_PAUSE = 5.0
_SLICE = 0.02
_LAST = 0.2  # seconds that the thread gets to see that it is over


class Sent(Enum):
    """Say what became of one request."""

    OK = auto()
    LATER = auto()  # the collector does not answer, or is busy
    REFUSED = auto()  # the collector will never take it
    TOO_LARGE = auto()
    BROKEN = auto()  # it could not be encoded


class _Waiter(threading.Event):
    """Tell who flushes that one round is over, and whether everything was sent in it."""

    sent = False


class ExportThread(threading.Thread):
    """The thread of a queue; a class of its own, so that no caller's context is carried into it."""


class ExportQueue(Generic[T, R]):
    """Queue items of one signal; ``prepare`` returns an item as it is sent, with its size in bytes."""

    def __init__(
        self,
        signal: Signal,
        *,
        size: int,
        interval_seconds: float,
        prepare: Callable[[T], tuple[R, int]],
        send: Callable[[list[R]], Sent],
        abort: Callable[[], None],
    ) -> None:
        self.signal = signal
        self.dropped: Counter[DropReason] = Counter()
        self._size = max(1, size)
        self._interval = interval_seconds
        self._prepare = prepare
        self._send = send
        self._abort = abort
        self.on_start: Callable[[], None] | None = None
        self._empty()

    def _empty(self) -> None:
        self._items: deque[T] = deque()
        self._ready: list[tuple[R, int]] = []
        self._wake: SimpleQueue[_Waiter | None] = SimpleQueue()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._pause = 0.0

    def __len__(self) -> int:
        return len(self._items) + len(self._ready)

    def put(self, item: T) -> None:
        """Append an item; when the queue is full or closed it is dropped and counted."""
        items = self._items
        waiting = len(items)
        if self._closed:
            self.drop(DropReason.SHUTDOWN, 1)
        elif waiting + len(self._ready) >= self._size:
            self.drop(DropReason.QUEUE_FULL, 1)
        else:
            items.append(item)
            if waiting % BATCH_ITEMS == BATCH_ITEMS - 1:
                self._wake.put(None)
            if self._thread is None:
                self.start()

    def drop(self, reason: DropReason, count: int) -> None:
        """Count items that were given up."""
        with self._lock:
            self.dropped[reason] += count

    def start(self) -> None:
        """Start the thread, where the interpreter still lets one start."""
        with self._lock:
            if self._thread is not None:
                return
            thread = ExportThread(target=self._run, name=f"spyglass-{self.signal}", daemon=True)
            try:
                self._thread = thread
                thread.start()
            except RuntimeError:  # the interpreter is ending; shutdown() sends what is left
                self._thread = None
        on_start, self.on_start = self.on_start, None
        if on_start is not None:
            on_start()

    def after_fork(self) -> None:
        """Begin anew in a child: the parent sends what the parent had, and its thread does not exist here."""
        self._empty()
        self.dropped = Counter()

    def flush(self, timeout: float) -> bool:
        """Send everything that is waiting, as often as it takes; return whether it was sent in time, in seconds."""
        deadline = time.monotonic() + timeout
        while not self._try_once(deadline - time.monotonic()):
            if time.monotonic() + self._interval > deadline:
                return False
            time.sleep(self._interval)
        return True

    def _try_once(self, timeout: float) -> bool:
        if not len(self):
            return True
        self.start()
        if self._thread is None:
            return self._drain()
        waiter = _Waiter()
        self._wake.put(waiter)
        deadline = time.monotonic() + timeout
        while not waiter.wait(_SLICE) and time.monotonic() < deadline and self._thread.is_alive():
            pass
        return waiter.sent

    def shutdown(self, timeout: float) -> None:
        """Send what waits within the time, in seconds, then stop; what is left is dropped and counted."""
        self._try_once(timeout)
        self._closed = True
        self._abort()
        self._wake.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_LAST)
        if left := len(self):
            self.drop(DropReason.SHUTDOWN, left)

    def _run(self) -> None:
        while not self._closed:
            waiters = self._wait(self._pause or self._interval)
            sent = False
            try:
                sent = self._drain()
            except Exception as error:  # noqa: BLE001 -- the thread must live as long as the program
                warn_once(f"queue.{self.signal}", "spyglass could not send %s: %r.", self.signal, error)
            for waiter in waiters:
                waiter.sent = sent
                waiter.set()

    def _wait(self, seconds: float) -> list[_Waiter]:
        waiters: list[_Waiter] = []
        try:
            token = self._wake.get(timeout=seconds)
            while True:
                if token is not None:
                    waiters.append(token)
                token = self._wake.get_nowait()
        except Empty:
            return waiters

    def _drain(self) -> bool:
        """Send what waits now; return whether all of it is gone, whatever comes in meanwhile."""
        waiting = len(self)
        while waiting > 0 and (self._items or self._ready):
            waiting -= self._fill()
            count = self._fitting()
            if self._deliver([item for item, _ in self._ready[:count]]) is Sent.LATER:
                self._pause = min(_LONGEST_PAUSE, max(self._interval, self._pause * 2))
                return False
            del self._ready[:count]
            waiting -= count
            self._pause = 0.0
        return True

    def _fill(self) -> int:
        """Prepare what fits into the next request; return how many items were lost at that."""
        lost = 0
        total = sum(size for _, size in self._ready)
        while self._items and len(self._ready) < BATCH_ITEMS and total < BATCH_BYTES:
            try:
                ready = self._prepare(self._items.popleft())
            except Exception as error:  # noqa: BLE001 -- one broken item must not stop the others
                warn_once(f"prepare.{self.signal}", "spyglass could not prepare one of the %s: %r.", self.signal, error)
                self.drop(DropReason.EXPORT_FAILED, 1)
                lost += 1
                continue
            if ready[1] > MOST_BYTES:
                warn_once(f"large.{self.signal}", "spyglass drops %s above %d bytes.", self.signal, MOST_BYTES)
                self.drop(DropReason.TOO_LARGE, 1)
                lost += 1
                continue
            self._ready.append(ready)
            total += ready[1]
        return lost

    def _fitting(self) -> int:
        total = 0
        for count, (_, size) in enumerate(self._ready):
            total += size
            if count and total > BATCH_BYTES:
                return count
        return len(self._ready)

    def _deliver(self, items: list[R]) -> Sent:
        if not items:
            return Sent.OK
        sent = self._send(items)
        if sent in (Sent.OK, Sent.LATER):
            return sent
        if sent is Sent.REFUSED or len(items) == 1:
            self.drop(DropReason.TOO_LARGE if sent is Sent.TOO_LARGE else DropReason.EXPORT_FAILED, len(items))
            return Sent.OK
        half = len(items) // 2  # one item spoils the request: find it, and send the others
        if self._deliver(items[:half]) is Sent.LATER:
            return Sent.LATER
        return self._deliver(items[half:])
