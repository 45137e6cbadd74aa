"""The command line, from a checkout: `python run.py --help`."""

import sys

from abm.cli import main

if __name__ == "__main__":
    sys.exit(main())
