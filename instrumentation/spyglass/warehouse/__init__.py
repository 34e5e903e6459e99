"""Run the warehouse: chDB, which is ClickHouse's engine in this process, behind ClickHouse's HTTP protocol.

In the order in which data flows: ``serve`` starts the process (``privileges``, ``configuration``), ``app`` takes
requests (``auth``, ``bodies``, ``compression``, ``statements``), ``inserts`` stores what comes (``dead_letters``),
``gate`` and ``reads`` answer questions; ``engine`` is the only module that touches chDB. The other side of the wire is
``client``; ``migrations``, ``retention`` and ``prices`` use it, so they run the same against a ClickHouse server.
"""
