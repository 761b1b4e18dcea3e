"""Google's and Microsoft's stores are read with the keys that their own tools know, and anonymously without any."""

import asyncio
import base64
import http.server
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.unit.serving.bundles import write_sum_bundle

from tidegate.pod import StartFailure
from tidegate_serving.errors import CannotStart
from tidegate_serving.fetch import fetch_bundle
from tidegate_serving.settings import Settings

AZURE_KEY = base64.b64encode(b"a storage account's key").decode()


class CloudStore(http.server.SimpleHTTPRequestHandler):
    """Serves a folder as both stores do for a plain read, and asks a function about each request's rights."""

    allows: Callable[[str, str], bool]

    def do_GET(self):
        if type(self).allows(self.headers.get("authorization", ""), self.path):
            super().do_GET()
        else:
            self.send_error(403)

    def end_headers(self):
        self.send_header("etag", '"1"')
        super().end_headers()

    def log_message(self, *_):
        """Keeps the test's output readable."""


class Cloud:
    """A store on loopback, what it was asked with, and a predictor's settings to fetch from it."""

    def __init__(self, root: Path) -> None:
        self.digest = write_sum_bundle(root / "store/models/fraud/7")
        self.credentials = root / "credentials"
        self.credentials.mkdir()
        self.authorizations: list[str] = []
        self.server: http.server.ThreadingHTTPServer

    def listen(self, allows: Callable[[str, str], bool]) -> str:
        def noted(authorization: str, path: str) -> bool:
            self.authorizations.append(authorization)
            return allows(authorization, path)

        handler = type("Handler", (CloudStore,), {"allows": staticmethod(noted)})
        folder = self.credentials.with_name("store")
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(handler, directory=str(folder))
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def fetch(self, source: str, **keys: str) -> None:
        for name, value in keys.items():
            (self.credentials / name).write_text(value + "\n")
        settings = Settings(
            model="fraud", revision="r", source=source, digest=self.digest,
            credentials_folder=self.credentials, bundle_folder=self.credentials.with_name("bundle"),
        )  # fmt: skip
        asyncio.run(fetch_bundle(settings))


@pytest.fixture
def cloud(tmp_path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path)
    yield cloud
    if hasattr(cloud, "server"):
        cloud.server.shutdown()
        cloud.server.server_close()


def anybody(_authorization: str, _path: str) -> bool:
    return True


def claims(authorization: str) -> dict:
    """What a signed token of Google's says."""
    _, payload, _ = authorization.removeprefix("Bearer ").split(".")
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_gs_without_a_key_is_read_anonymously_and_no_metadata_server_is_asked(cloud, scheme):
    address = cloud.listen(anybody).removeprefix("http://")
    cloud.fetch("gs://models/fraud/7", STORAGE_EMULATOR_HOST=scheme + address)
    assert set(cloud.authorizations) == {""}


def test_gs_is_asked_with_the_secrets_credentials_file(cloud):
    address = cloud.listen(lambda authorization, _: authorization.startswith("Bearer "))
    key = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
    account = {
        "type": "service_account",
        "client_email": "tide@example.iam",
        "private_key": key,
        "private_key_id": "1",
    }
    cloud.fetch(
        "gs://models/fraud/7",
        STORAGE_EMULATOR_HOST=address,
        GOOGLE_APPLICATION_CREDENTIALS=json.dumps(account),
    )
    assert claims(cloud.authorizations[0])["iss"] == "tide@example.iam"


def test_az_without_a_key_is_read_anonymously_and_no_metadata_server_is_asked(cloud):
    address = cloud.listen(anybody)
    cloud.fetch("az://models/fraud/7", AZURE_STORAGE_ACCOUNT="tide", AZURE_STORAGE_SERVICE_ENDPOINT=address)
    assert set(cloud.authorizations) == {""}


def test_az_is_asked_with_the_accounts_key(cloud):
    address = cloud.listen(lambda authorization, _: authorization.startswith("SharedKey tide:"))
    cloud.fetch(
        "az://models/fraud/7",
        AZURE_STORAGE_ACCOUNT="tide", AZURE_STORAGE_KEY=AZURE_KEY, AZURE_STORAGE_SERVICE_ENDPOINT=address,
    )  # fmt: skip


def test_az_is_asked_with_a_signature_of_shared_access(cloud):
    address = cloud.listen(lambda _, path: path.endswith("?sv=2026&sig=abc%3D"))
    cloud.fetch(
        "az://models/fraud/7",
        AZURE_STORAGE_ACCOUNT="tide", AZURE_STORAGE_SERVICE_ENDPOINT=address,
        AZURE_STORAGE_SAS_TOKEN="sv=2026&sig=abc%3D",
    )  # fmt: skip


def test_az_takes_a_connection_string_as_the_portal_shows_it(cloud):
    address = cloud.listen(lambda authorization, _: authorization.startswith("SharedKey tide:"))
    connection = (
        f"DefaultEndpointsProtocol=http;AccountName=tide;AccountKey={AZURE_KEY};BlobEndpoint={address};"
    )
    cloud.fetch("az://models/fraud/7", AZURE_STORAGE_CONNECTION_STRING=connection)


def test_az_without_an_account_says_which_key_is_missing(cloud):
    with pytest.raises(CannotStart) as caught:
        cloud.fetch("az://models/fraud/7")
    assert caught.value.reason is StartFailure.SOURCE_UNSUPPORTED
    assert caught.value.message == (
        "the source az://models/fraud/7 can't be used: which storage account it lies in is not known; put "
        "AZURE_STORAGE_ACCOUNT into the Secret that spec.source.secretRef of the ModelVersion names"
    )


def test_a_store_that_denies_is_named_and_its_key_is_not(cloud):
    address = cloud.listen(lambda *_: False)
    with pytest.raises(CannotStart) as caught:
        cloud.fetch(
            "az://models/fraud/7",
            AZURE_STORAGE_ACCOUNT="tide", AZURE_STORAGE_KEY=AZURE_KEY, AZURE_STORAGE_SERVICE_ENDPOINT=address,
        )  # fmt: skip
    assert caught.value.reason is StartFailure.SOURCE_DENIED
    assert AZURE_KEY not in caught.value.message


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_a_folder_that_is_not_there_is_named(cloud, scheme):
    address = cloud.listen(anybody)
    keys = {
        "STORAGE_EMULATOR_HOST": address,
        "AZURE_STORAGE_SERVICE_ENDPOINT": address,
        "AZURE_STORAGE_ACCOUNT": "t",
    }
    with pytest.raises(CannotStart) as caught:
        cloud.fetch(f"{scheme}://models/fraud/8", **keys)
    assert caught.value.message == f"there is no tidegate.json in {scheme}://models/fraud/8"
