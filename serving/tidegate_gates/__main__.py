"""The container that holds gates in a cluster: `python -m tidegate_gates`."""

import os
import sys

from tidegate_gates.run import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
