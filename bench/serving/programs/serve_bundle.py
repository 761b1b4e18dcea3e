"""Tidegate: a bundle's folder, served as a pod serves it: `serve_bundle.py FOLDER PORT`.

Checks every value, gives ids, counts requests, latencies and every bin of every feature. Its access log is the counts.
"""

import sys
from pathlib import Path

from tidegate_serving.main import serve_bundle

if __name__ == "__main__":
    serve_bundle(Path(sys.argv[1]), int(sys.argv[2]))
