"""`python -m bench [cycles] [http] [live]`: all of them without a word."""

import sys

from bench import cycles, http, live

PARTS = {"cycles": cycles.run, "http": http.run, "live": live.run}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
