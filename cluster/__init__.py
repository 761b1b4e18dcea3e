"""A real Kubernetes to run on, made by kind from a published node image or from one built here.

It runs before any virtual environment exists, hence the standard library alone.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this runs under whatever python3 the machine has
    sys.exit("Tidegate needs Python 3.11 or newer: name it, as in `make PYTHON=python3.11 cluster`.")
