"""The predictor's source: from its URI and the Secret's keys to a store that can be read; no network is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from obstore import exceptions
from obstore.store import HTTPStore, LocalStore

from tidegate.pod import StartFailure
from tidegate.stores import (
    AZURE_ACCOUNT,
    CLIENT,
    GCS_KEY,
    KEYS,
    NO_RETRY,
    S3_KEYS,
    AccountUnknown,
    Store,
    first_line,
    open_cloud,
)
from tidegate_serving.errors import CannotStart
from tidegate_serving.settings import Settings

_FIRST_KEYS: Final = {"gs": GCS_KEY, "az": f"{AZURE_ACCOUNT} and AZURE_STORAGE_KEY"}


def open_store(settings: Settings) -> Store:
    """Opens the source's folder for reading.

    Raises:
        CannotStart: Its scheme is not one of ours, its address makes no sense, or its Secret is not there.
    """
    scheme = urlsplit(settings.source).scheme
    if settings.secret and not any(settings.credentials_folder.glob("[!.]*")):
        raise CannotStart(
            StartFailure.SECRET_MISSING,
            f"there is no Secret {settings.secret} with keys in it ({settings.named_in}); "
            f"create it with the keys of {settings.source}, such as {_FIRST_KEYS.get(scheme, S3_KEYS[0])}",
        )
    try:
        return _open(scheme, settings)
    except FileNotFoundError as error:
        raise CannotStart(
            StartFailure.SOURCE_NOT_FOUND, f"the folder of {settings.source} does not exist"
        ) from error
    except (exceptions.BaseError, ValueError) as error:
        raise CannotStart(
            StartFailure.SOURCE_UNSUPPORTED,
            f"the source {settings.source} can't be used: {first_line(error)}",
        ) from error


def _open(scheme: str, settings: Settings) -> Store:
    match scheme:
        case "file":
            return _open_folder(Path(unquote(urlsplit(settings.source).path)))
        case "pvc":
            path = unquote(urlsplit(settings.source).path).lstrip("/")
            return _open_folder(_within(settings.claim_folder, path))
        case "http" | "https":
            return HTTPStore.from_url(settings.source, client_options=CLIENT, retry_config=NO_RETRY)
        case "s3" | "gs" | "az":
            return _open_cloud(scheme, settings)
    raise ValueError(f"its scheme is '{scheme}', but one of s3, gs, az, http, https, pvc and file is needed")


def _open_cloud(scheme: str, settings: Settings) -> Store:
    keys = _read_keys(settings, KEYS[scheme])
    if GCS_KEY in keys:
        keys[GCS_KEY] = str(settings.credentials_folder / GCS_KEY)
    try:
        return open_cloud(scheme, settings.source, keys)
    except AccountUnknown as error:
        raise ValueError(
            f"{error}; put {AZURE_ACCOUNT} into the Secret that {settings.named_in} names"
        ) from error


def _read_keys(settings: Settings, names: tuple[str, ...]) -> dict[str, str]:
    """Gives those keys of the Secret that are there."""
    files = {name: settings.credentials_folder / name for name in names}
    return {name: file.read_text().strip() for name, file in files.items() if file.is_file()}


def _open_folder(folder: Path) -> LocalStore:
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    return LocalStore(prefix=folder)


def _within(folder: Path, path: str) -> Path:
    """Gives the path inside a folder; `..` must not lead out of the claim."""
    inside = (folder / path).resolve()
    if not inside.is_relative_to(folder.resolve()):
        raise ValueError("its path leads out of the claim")
    return inside
