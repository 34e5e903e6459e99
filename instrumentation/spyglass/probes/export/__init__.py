"""Send samples to the collector: points.py makes them OTLP, post.py sends them, loop.py does both again and again."""
