"""`python -m tidegate_serving`: what a predictor pod runs."""

import os

from tidegate_serving.main import leave, main

leave(main(os.environ))
