"""Hold the sections that dashboards are put together from: panels with their sentences, one heading per module."""
