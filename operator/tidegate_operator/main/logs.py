"""Logs: one line an entry, JSON or text, with the namespace and name of what it is about."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LOUD = ("kopf", "aiohttp.access", "asyncio")
"""Their information is about themselves."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with the fields that collectors look for."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "namespace": getattr(record, "namespace", None),
            "name": getattr(record, "resource", None),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps({field: value for field, value in entry.items() if value is not None})


class TextFormatter(logging.Formatter):
    """One readable line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, what it is about, message."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        namespace, name = getattr(record, "namespace", ""), getattr(record, "resource", "")
        about = f"{namespace}/{name}" if namespace else "-"
        line = f"{time} {record.levelname.lower():<7} {about:<24} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logs(log_format: str) -> None:
    """Send everything to standard error in one format, kopf's own lines from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
