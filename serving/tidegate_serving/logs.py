"""Logs: one line an event, as JSON or as text; bodies never."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from tidegate_serving.settings import LogFormat


def configure_logs(log_format: LogFormat, *, model: str, revision: str) -> None:
    """Sends all logs to stderr, the model's name and revision on every line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(model, revision) if log_format == "json" else _TextFormatter(model))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class _JsonFormatter(logging.Formatter):
    def __init__(self, model: str, revision: str) -> None:
        super().__init__()
        self._model, self._revision = model, revision

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "model": self._model,
            "revision": self._revision,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _TextFormatter(logging.Formatter):
    def __init__(self, model: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {model.replace('%', '%%')} %(message)s", "%H:%M:%S")

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """Keeps the exception on its line."""
        return super().formatException(ei).replace("\n", " | ")  # type: ignore[arg-type]
