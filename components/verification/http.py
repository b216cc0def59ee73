"""Asks the API of a Supabase project, and an S3 store."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from components.verification import network
from components.verification.wrong import Wrong

_MOST: Final = 65536
"""Bytes of an answer that are read: what is asked for is short."""
_EMPTY: Final = hashlib.sha256(b"").hexdigest()


def ask_api(endpoint: Mapping[str, Any]) -> None:
    """Asks a project's Auth how it is, with an API key.

    Args:
        endpoint: `url`, `key` (or None: an answer is enough), `ca`, `ca_also`, `key_setting`, `key_fix`.

    Raises:
        Wrong: it does not answer as it must.
    """
    key = endpoint["key"]
    status, _ = _get(f"{endpoint['url']}/auth/v1/health", {} if key is None else {"apikey": key}, endpoint)
    if status == 200 or (key is None and status in (401, 403)):
        return
    if status in (401, 403):
        reason = "the key is not taken: it is another project's, has ended, or was revoked"
        raise Wrong(reason, f"take it from the project's dashboard (API keys): {endpoint['key_fix']}", endpoint["key_setting"])
    if status in (404, 521, 523, 530, 540):
        raise Wrong(
            f"no project answers there (HTTP {status})", "see that ref is the project's, and that the project is not paused"
        )
    raise Wrong(f"it answered with HTTP {status}", "see the project's logs, and status.supabase.com")


def ask_store(endpoint: Mapping[str, Any]) -> None:
    """Lists one object of a bucket, or the buckets where none is named.

    Args:
        endpoint: `url`, `region`, `bucket` (or None), `access_key`, `secret_key`, `ca`, `ca_also`, `key_setting`, `key_fix`,
            `bucket_setting`, `region_setting`.

    Raises:
        Wrong: it does not answer as it must.
    """
    bucket = endpoint["bucket"]
    path = f"/{quote(bucket)}" if bucket else "/"
    query = {"list-type": "2", "max-keys": "1"} if bucket else {}
    url = f"{endpoint['url']}{path}" + ("?" + "&".join(f"{k}={v}" for k, v in sorted(query.items())) if query else "")
    signed = sign(url, endpoint["region"], endpoint["access_key"], endpoint["secret_key"], datetime.now(UTC))
    status, body = _get(url, signed, endpoint)
    if status == 200:
        return
    found = re.search(rb"<Code>([A-Za-z0-9]{1,60})</Code>", body)
    raise _of_store(status, found[1].decode() if found else "", endpoint)


def _of_store(status: int, code: str, endpoint: Mapping[str, Any]) -> Wrong:
    """What a store's refusal means: its error codes are those of Amazon's (S3 API reference, "List of error codes")."""
    if code in (
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "InvalidAccessKey",
        "ExpiredToken",
        "InvalidToken",
        "InvalidSignature",
    ):
        half = (
            "the secret key does not belong to the access key"
            if code == "SignatureDoesNotMatch"
            else "the access key is not taken"
        )
        return Wrong(f"{half} ({code})", f"give both anew: {endpoint['key_fix']}", endpoint["key_setting"])
    if code in ("NoSuchBucket", "NoSuchKey"):
        return Wrong(
            f"there is no bucket {endpoint['bucket']}", "make it there, or name one that is there", endpoint["bucket_setting"]
        )
    if code in ("AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidRegion", "TemporaryRedirect"):
        return Wrong(f"the bucket is in another region ({code})", "give that region and its endpoint", endpoint["region_setting"])
    if code == "RequestTimeTooSkewed":
        return Wrong("this machine's clock is wrong", "set it by the network's time")
    if code in ("AccessDenied", "AllAccessDisabled") or status in (401, 403):
        what = f"the bucket {endpoint['bucket']}" if endpoint["bucket"] else "its buckets"
        return Wrong(
            f"the key may not list {what}, or it is not taken ({code or f'HTTP {status}'})",
            f"give the key the right to list it (s3:ListBucket), or give both halves anew: {endpoint['key_fix']}",
            endpoint["key_setting"],
        )
    return Wrong(f"it answered with HTTP {status}{f', {code}' if code else ''}", "see that this is the address of an S3 store")


def sign(url: str, region: str, access_key: str, secret_key: str, now: datetime) -> dict[str, str]:
    """Headers of a GET without a body, signed as AWS Signature Version 4 wants it (S3 API reference, "Authenticating Requests").

    Written here: what signs it elsewhere (botocore) is ten times the size of all that the program needs beside.
    """
    parts = urlsplit(url)
    host = parts.netloc
    day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": moment}
    names = ";".join(sorted(headers))
    request = "\n".join(
        ["GET", parts.path or "/", parts.query, *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, _EMPTY]
    )
    scope = f"{day}/{region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": authorization}


def _get(url: str, headers: Mapping[str, str], endpoint: Mapping[str, Any]) -> tuple[int, bytes]:
    """Status and begin of the answer. Redirects are not followed: whoever asked for the credentials is not who the settings name."""
    import urllib3

    at = urlsplit(url)
    tls, ca, also = at.scheme == "https", endpoint["ca"], bool(endpoint.get("ca_also"))
    network.reach(at.hostname or "", at.port or (443 if tls else 80), ca=ca, tls=tls, also=also)
    limits = urllib3.Timeout(connect=network.WITHIN, read=network.WITHIN)
    try:
        with urllib3.PoolManager(
            timeout=limits, retries=False, ssl_context=network.context(ca, also=also) if tls else None
        ) as pool:
            answer = pool.request("GET", url, headers=dict(headers), redirect=False, preload_content=False)
            try:
                return answer.status, answer.read(_MOST)
            finally:
                answer.release_conn()
    except urllib3.exceptions.TimeoutError:
        raise network.why(TimeoutError(), ca) from None
    except urllib3.exceptions.HTTPError:
        raise Wrong(
            "it hangs up without an answer", "see that this is the address of an HTTP server, and of the right scheme"
        ) from None
