"""Run a demonstration on real parts: a fake model provider, a fleet of agents on it, and replay of recordings."""
