"""What operator and predictor agree on: a predictor pod's environment and the reasons why it can't start."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

PORT: Final = 8080
READY_PATH: Final = "/v2/health/ready"
ROUTER_PATH: Final = "/internal/routable/"
"""With a revision's name behind it, what routers ask: whether this very revision answers here, and will go on to.
An address is reused by other pods, and DNS may name it long after; readiness alone would then let anybody answer."""
LEAVE_SECONDS: Final = 6
"""So long before a draining process ends, routers are told to leave: two failed checks, a second apart and with a
second of time-out each, and half as much again, since a busy router asks late."""
LIVE_PATH: Final = "/v2/health/live"

# Answers carry these, so that an outcome that arrives weeks later can be joined to what was predicted.
PREDICTION_ID_HEADER: Final = "tidegate-prediction-id"
REVISION_HEADER: Final = "tidegate-revision"

TERMINATION_LOG: Final = "/dev/termination-log"
BUNDLE_FOLDER: Final = "/var/lib/tidegate/bundle"
"""An emptyDir: the root file system is read-only."""
CREDENTIALS_FOLDER: Final = "/var/run/secrets/tidegate.io/source"
"""The keys of the Secret of the ModelVersion, a file each, as AWS, Azure and Google tools name them."""
CLAIM_FOLDER: Final = "/var/run/tidegate/claim"
"""Where the claim of a `pvc://claim/path` source is mounted, read-only."""


class Variable(StrEnum):
    """Environment variables that the operator sets and the predictor reads."""

    MODEL = "TIDEGATE_MODEL"  # the name it is served under: the ModelDeployment's
    REVISION = "TIDEGATE_REVISION"
    SOURCE = "TIDEGATE_SOURCE"  # URI of the bundle's folder
    SECRET = "TIDEGATE_SECRET"  # noqa: S105 - name of the Secret with the store's keys; none: there must be none
    DIGEST = "TIDEGATE_DIGEST"  # sha256:<64 hexadecimal digits>
    THREADS = "TIDEGATE_THREADS"  # the CPU limit, rounded up
    DRAIN = "TIDEGATE_DRAIN_SECONDS"
    LOG_FORMAT = "TIDEGATE_LOG_FORMAT"  # json or text


class StartFailure(StrEnum):
    """Why a predictor could not start; written to the termination log."""

    SOURCE_UNREACHABLE = "SourceUnreachable"  # may pass: the store is away or slow
    SOURCE_DENIED = "SourceDenied"  # may pass: a Secret can be mended
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - may pass: it can be created
    SOURCE_NOT_FOUND = "SourceNotFound"  # may pass: an upload may be late
    SOURCE_UNSUPPORTED = "SourceUnsupported"
    DIGEST_MISMATCH = "DigestMismatch"  # the manifest, or one of its files, is not what was tested
    BUNDLE_INVALID = "BundleInvalid"
    MODEL_INVALID = "ModelInvalid"
    GOLDEN_MISMATCH = "GoldenMismatch"
    START_TIMEOUT = "StartTimeout"  # the source answers, but all was not fetched and loaded in time

    @property
    def terminal(self) -> bool:
        """Whether trying again can't help, because the bundle's bytes themselves are wrong."""
        return self in {
            StartFailure.DIGEST_MISMATCH,
            StartFailure.BUNDLE_INVALID,
            StartFailure.MODEL_INVALID,
            StartFailure.GOLDEN_MISMATCH,
            StartFailure.SOURCE_UNSUPPORTED,
        }

    @property
    def outside(self) -> bool:
        """Whether the bundle is not to blame: the same bundle starts as soon as somebody mends the rest."""
        return self in {
            StartFailure.SOURCE_UNREACHABLE,
            StartFailure.SOURCE_DENIED,
            StartFailure.SECRET_MISSING,
            StartFailure.SOURCE_NOT_FOUND,
        }


class TerminationMessage(msgspec.Struct, frozen=True):
    """The last word of a predictor that could not start: JSON in the termination log, at most 4096 bytes."""

    reason: StartFailure
    message: str
    """One sentence for the ModelDeployment's status."""
