"""`python -m demo`: plays the story on the cluster of `make cluster`; exits 1 with the reason when it breaks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo.ground import NotOurClusterError, hold_ground
from demo.kubectl import ProgramFailedError
from demo.narrator import Narrator
from demo.story import Story, StoryBrokenError
from demo.waiting import DeadlineError


def main() -> None:
    """Plays the story."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--picture", type=Path, help="where to write what was printed, as an SVG")
    arguments = parser.parse_args()
    narrator = Narrator()
    try:
        with hold_ground() as ground:
            Story(ground, narrator).play()
    except (DeadlineError, NotOurClusterError, ProgramFailedError, StoryBrokenError) as error:
        sys.exit(f"\nThe demo stopped: {error}")
    if arguments.picture:
        narrator.save_picture(arguments.picture, title="make demo")


if __name__ == "__main__":
    main()
