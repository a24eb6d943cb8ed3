"""The command `gaze` in a clone: `python server.py --help`."""

from gaze.__main__ import main

if __name__ == "__main__":
    main()
