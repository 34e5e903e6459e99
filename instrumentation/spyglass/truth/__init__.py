"""Replay recordings of which it is known what the provider served, and compare what the warehouse makes of them."""
