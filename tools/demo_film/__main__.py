"""The command that makes the demo film: `python -m tools.demo_film PATH`."""

import argparse
from pathlib import Path

from tools.demo_film import make_demo

parser = argparse.ArgumentParser(
    prog="python -m tools.demo_film", description="Make the demo film; takes about 20 s."
)
parser.add_argument("path", type=Path, help="the file to write, such as media/demo.mp4")
make_demo(parser.parse_args().path)
