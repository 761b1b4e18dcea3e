"""`python -m tidegate_serving`: what a predictor pod runs."""

import os
import sys

from tidegate_serving.main import main

sys.exit(main(os.environ))
