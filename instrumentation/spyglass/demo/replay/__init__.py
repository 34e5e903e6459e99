"""Send recordings of OTLP/JSON to a collector again: read, rewrite, cut to size, send."""
