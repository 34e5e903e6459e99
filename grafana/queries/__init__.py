"""Hold what the dashboards ask, one module or SQL file per question; the names in them come from spyglass.names."""
