"""Run the command line with ``python -m spyglass``."""

import sys

from spyglass.cli import main

sys.exit(main())
