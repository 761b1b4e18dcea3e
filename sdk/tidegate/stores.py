"""Opening: from a URI and the keys of a store to a store that can be used; no network is touched.

Predictors open with the keys of a Secret, `tidegate push` with those of the environment; their names are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from obstore.store import AzureStore, GCSStore, HTTPStore, LocalStore, S3Store

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, RetryConfig, S3Config

Store = S3Store | GCSStore | AzureStore | HTTPStore | LocalStore

# `timeout` bounds one request as a whole, `read_timeout` the silence in between.
CLIENT: Final[ClientConfig] = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=3),
    "read_timeout": timedelta(seconds=10),
    "timeout": timedelta(minutes=10),
}
# Trying again is up to who reads, and says what it waits for; the library would wait in silence for minutes.
NO_RETRY: Final[RetryConfig] = {"max_retries": 0}

S3_KEYS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
)
GCS_KEY: Final = "GOOGLE_APPLICATION_CREDENTIALS"
"""Path of a file with credentials; a Secret holds the file itself, which is mounted under that name."""
_GCS_ENDPOINT: Final = "STORAGE_EMULATOR_HOST"
AZURE_ACCOUNT: Final = "AZURE_STORAGE_ACCOUNT"
# As the az command line and the SDKs name them, and as the library does.
_AZURE_KEYS: Final = {
    AZURE_ACCOUNT: "account_name",
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
KEYS: Final = {
    "s3": S3_KEYS,
    "gs": (GCS_KEY, _GCS_ENDPOINT),
    "az": (*_AZURE_KEYS, _AZURE_CONNECTION),
}
"""Names of the keys that a store's scheme has a use for."""


class AccountUnknown(ValueError):  # noqa: N818 - what it is
    """Azure's containers lie in a storage account, and no key tells which."""


def open_cloud(
    scheme: str, uri: str, keys: Mapping[str, str], retry: RetryConfig = NO_RETRY
) -> S3Store | GCSStore | AzureStore:
    """Opens a folder of a store whose scheme is in `KEYS`.

    Raises:
        ValueError: Its address or keys make no sense.
    """
    match scheme:
        case "s3":
            return _open_s3(uri, keys, retry)
        case "gs":
            return _open_gcs(uri, keys, retry)
        case _:
            return _open_azure(uri, keys, retry)


# Without keys nothing is signed. The library would ask the cloud's metadata address instead, and hang where there
# is none.


def _open_s3(uri: str, keys: Mapping[str, str], retry: RetryConfig) -> S3Store:
    config: dict[str, Any] = {"AWS_REGION": "us-east-1", **keys}
    if "AWS_ACCESS_KEY_ID" not in config:
        config["AWS_SKIP_SIGNATURE"] = "true"
    return S3Store.from_url(uri, config=cast("S3Config", config), client_options=CLIENT, retry_config=retry)


def _open_gcs(uri: str, keys: Mapping[str, str], retry: RetryConfig) -> GCSStore:
    config: dict[str, Any] = {"skip_signature": True}
    if GCS_KEY in keys:
        config = {"application_credentials": keys[GCS_KEY]}
    if _GCS_ENDPOINT in keys:
        host = keys[_GCS_ENDPOINT]
        config["base_url"] = host if "://" in host else f"http://{host}"
    return GCSStore.from_url(uri, config=cast("GCSConfig", config), client_options=CLIENT, retry_config=retry)


def _open_azure(uri: str, keys: Mapping[str, str], retry: RetryConfig) -> AzureStore:
    config: dict[str, Any] = _read_connection(keys.get(_AZURE_CONNECTION, ""))
    config |= {_AZURE_KEYS[key]: value for key, value in keys.items() if key in _AZURE_KEYS}
    if "account_name" not in config:
        raise AccountUnknown("which storage account it lies in is not known")
    if not config.keys() & {"account_key", "sas_key", "client_secret"}:
        config["skip_signature"] = True
    return AzureStore.from_url(
        uri, config=cast("AzureConfig", config), client_options=CLIENT, retry_config=retry
    )


def _read_connection(text: str) -> dict[str, Any]:
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    return {name: parts[part] for part, name in _AZURE_CONNECTION_PARTS.items() if part in parts}


def first_line(error: Exception) -> str:
    """Gives the part of a message of the library that says what is wrong; its debug print follows."""
    return str(error).strip().split("\n", 1)[0][:300]


NO_ANSWER: Final = "no answer"

# The library's own sentence is "error sending request" for all of them; only its debug print tells them apart.
_CAUSES: Final = {
    "kind: Timeout": NO_ANSWER,
    "dns error": "its host has no address",
    "ConnectionRefused": "the connection was refused",
}


def say_why(error: Exception) -> str:
    """The cause without the time it took: what differs at each try would keep the status from resting."""
    text = str(error)
    known = next((words for mark, words in _CAUSES.items() if mark in text), None)
    return known or re.sub(r"^.* in [0-9.]+[mµn]?s - ", "", first_line(error))
