"""Our signature of a request is the one that botocore makes."""

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from components.verification.http import sign

NOW = datetime(2026, 11, 21, 17, 5, 9, tzinfo=UTC)
KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://s3.eu-central-1.amazonaws.com/shop-files?list-type=2&max-keys=1", "eu-central-1"),
        ("https://0123456789abcdef.r2.cloudflarestorage.com/", "auto"),
        ("https://abcdefghijklmnopqrst.storage.supabase.co/storage/v1/s3/", "eu-central-2"),
        ("http://localhost:9000/a.b-c?list-type=2&max-keys=1", "us-east-1"),
    ],
)
def test_it_is_botocores(url: str, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    ours = sign(url, region, *KEYS, NOW)
    request = AWSRequest("GET", url, headers={"X-Amz-Content-SHA256": ours["x-amz-content-sha256"]})
    botocore.auth.S3SigV4Auth(Credentials(*KEYS), "s3", region).add_auth(request)
    assert request.headers["Authorization"] == ours["authorization"]
    assert request.headers["X-Amz-Date"] == ours["x-amz-date"]
