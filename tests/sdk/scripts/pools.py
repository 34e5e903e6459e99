"""Run four tools in worker processes: pools.py ENDPOINT START_METHOD executor|pool|process."""

# ruff: noqa: D103 -- the functions are what the test calls
from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import spyglass


@spyglass.tool
def square(number: int) -> int:
    return number * number


def main(endpoint: str, method: str, kind: str) -> None:
    spyglass.init(service="pools", endpoint=endpoint, probes="none", instrument="none")
    context: Any = multiprocessing.get_context(method)
    with spyglass.session(user="u"), spyglass.agent("boss"):
        if kind == "executor":
            with ProcessPoolExecutor(2, mp_context=context) as executor:
                assert list(executor.map(square, range(4))) == [0, 1, 4, 9]
        elif kind == "pool":
            with context.Pool(2) as pool:
                assert pool.map(spyglass.carry(square), range(4)) == [0, 1, 4, 9]
        else:
            workers = [context.Process(target=spyglass.carry(square), args=(number,)) for number in range(4)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
                assert worker.exitcode == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
