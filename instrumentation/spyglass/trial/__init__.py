"""Try the instrumentation of installed libraries: import each, call a model through it, look at what arrives."""
