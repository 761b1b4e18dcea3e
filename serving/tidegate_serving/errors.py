"""The two ways to fail: a request that is refused, and a predictor that can't start."""

from __future__ import annotations

from tidegate.pod import StartFailure


class Refusal(Exception):  # noqa: N818 - what the caller gets
    """A request that gets no prediction: its HTTP status and one sentence for the caller."""

    def __init__(
        self, status: int, message: str, *, field: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.headers = headers or {}


class CannotStart(Exception):  # noqa: N818 - a sentence
    """Why the bundle is not served, for the termination log."""

    def __init__(self, reason: StartFailure, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NotFinite(Exception):  # noqa: N818 - the name of the counter
    """The model answered NaN or infinity in some of the rows."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"the model's answer is not a finite number in {rows} of the rows")
        self.rows = rows
