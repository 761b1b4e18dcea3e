"""The one error that packaging raises: a sentence that names what can't be packaged, with a way out."""

from __future__ import annotations


class PackagingRefusedError(ValueError):
    """This model, sample or option can't become a bundle; the message says why and what helps."""
