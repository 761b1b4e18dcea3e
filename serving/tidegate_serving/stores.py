"""Opening: from a source's URI and the Secret's keys to a store that can be read; no network is touched."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit

from obstore import exceptions
from obstore.store import AzureStore, GCSStore, HTTPStore, LocalStore, S3Store

from tidegate.pod import StartFailure
from tidegate_serving.errors import CannotStart
from tidegate_serving.settings import Settings

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, RetryConfig, S3Config

Store = S3Store | GCSStore | AzureStore | HTTPStore | LocalStore

# `timeout` bounds one file as a whole, `read_timeout` the silence in between.
_CLIENT: Final[ClientConfig] = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=3),
    "read_timeout": timedelta(seconds=10),
    "timeout": timedelta(minutes=10),
}
# Trying again is up to start.py, which says what it waits for; the library would wait in silence for minutes.
_RETRY: Final[RetryConfig] = {"max_retries": 0}

_S3_KEYS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
)
_GCS_KEY: Final = "GOOGLE_APPLICATION_CREDENTIALS"
"""Where Google's tools expect a path, the Secret holds the file itself, which is mounted under that name."""
_GCS_ENDPOINT: Final = "STORAGE_EMULATOR_HOST"
_AZURE_ACCOUNT: Final = "AZURE_STORAGE_ACCOUNT"
# As the az command line and the SDKs name them, and as the library does.
_AZURE_KEYS: Final = {
    _AZURE_ACCOUNT: "account_name",
    "AZURE_STORAGE_KEY": "account_key",
    "AZURE_STORAGE_SAS_TOKEN": "sas_key",
    "AZURE_STORAGE_SERVICE_ENDPOINT": "endpoint",
    "AZURE_TENANT_ID": "tenant_id",
    "AZURE_CLIENT_ID": "client_id",
    "AZURE_CLIENT_SECRET": "client_secret",
}
_AZURE_CONNECTION: Final = "AZURE_STORAGE_CONNECTION_STRING"
_AZURE_CONNECTION_PARTS: Final = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "SharedAccessSignature": "sas_key",
    "BlobEndpoint": "endpoint",
}
_FIRST_KEYS: Final = {"gs": _GCS_KEY, "az": f"{_AZURE_ACCOUNT} and AZURE_STORAGE_KEY"}


def open_store(settings: Settings) -> Store:
    """Opens the source's folder for reading.

    Raises:
        CannotStart: Its scheme is not one of ours, its address makes no sense, or its Secret is not there.
    """
    scheme = urlsplit(settings.source).scheme
    if settings.secret and not any(settings.credentials_folder.glob("[!.]*")):
        raise CannotStart(
            StartFailure.SECRET_MISSING,
            f"there is no Secret {settings.secret} with keys in it (spec.source.secretRef of the ModelVersion); "
            f"create it with the keys of {settings.source}, such as {_FIRST_KEYS.get(scheme, _S3_KEYS[0])}",
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
            return HTTPStore.from_url(settings.source, client_options=_CLIENT, retry_config=_RETRY)
        case "s3":
            return _open_s3(settings)
        case "gs":
            return _open_gcs(settings)
        case "az":
            return _open_azure(settings)
    raise ValueError(f"its scheme is '{scheme}', but one of s3, gs, az, http, https, pvc and file is needed")


# Without keys nothing is signed. The library would ask the cloud's metadata address instead, and hang where there
# is none.


def _open_s3(settings: Settings) -> S3Store:
    config: dict[str, Any] = {"AWS_REGION": "us-east-1", **_read_keys(settings, _S3_KEYS)}
    if "AWS_ACCESS_KEY_ID" not in config:
        config["AWS_SKIP_SIGNATURE"] = "true"
    return S3Store.from_url(
        settings.source, config=cast("S3Config", config), client_options=_CLIENT, retry_config=_RETRY
    )


def _open_gcs(settings: Settings) -> GCSStore:
    keys = _read_keys(settings, (_GCS_KEY, _GCS_ENDPOINT))
    config: dict[str, Any] = {"skip_signature": True}
    if _GCS_KEY in keys:
        config = {"application_credentials": str(settings.credentials_folder / _GCS_KEY)}
    if _GCS_ENDPOINT in keys:
        host = keys[_GCS_ENDPOINT]
        config["base_url"] = host if "://" in host else f"http://{host}"
    return GCSStore.from_url(
        settings.source, config=cast("GCSConfig", config), client_options=_CLIENT, retry_config=_RETRY
    )


def _open_azure(settings: Settings) -> AzureStore:
    keys = _read_keys(settings, (*_AZURE_KEYS, _AZURE_CONNECTION))
    config: dict[str, Any] = _read_connection(keys.pop(_AZURE_CONNECTION, ""))
    config |= {_AZURE_KEYS[key]: value for key, value in keys.items()}
    if "account_name" not in config:
        raise ValueError(
            f"which storage account it lies in is not known; put {_AZURE_ACCOUNT} into the Secret that "
            "spec.source.secretRef of the ModelVersion names"
        )
    if not config.keys() & {"account_key", "sas_key", "client_secret"}:
        config["skip_signature"] = True
    return AzureStore.from_url(
        settings.source, config=cast("AzureConfig", config), client_options=_CLIENT, retry_config=_RETRY
    )


def _read_connection(text: str) -> dict[str, Any]:
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    return {name: parts[part] for part, name in _AZURE_CONNECTION_PARTS.items() if part in parts}


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


def first_line(error: Exception) -> str:
    """Gives the part of a message of the library that says what is wrong; its debug print follows."""
    return str(error).strip().split("\n", 1)[0][:300]
