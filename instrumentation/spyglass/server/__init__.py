"""Serve what needs more than one store: the alert inbox and the background jobs; a client of the stores."""
