"""Run the stack on one machine: its programs, its parts, and everything that starts, watches and stops them."""
