"""Which hosts this machine can reach, found out in seconds."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROBE_SECONDS = 3.0
"""How long one probe may take, name lookup included."""
REMEMBERED_SECONDS = 24 * 3600.0
"""How long a failed probe is believed where there is something to go on with."""


def answers(url: str, statuses: Collection[int] = (200,), method: str = "HEAD", seconds: float = PROBE_SECONDS) -> bool:
    """Whether a URL answers with one of the statuses within the time. Uses the proxy of the environment, follows redirects."""
    result: list[bool] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method=method, headers={"User-Agent": "supastack"})  # noqa: S310 - URLs of ours
            with urllib.request.urlopen(request, timeout=seconds) as response:  # noqa: S310
                result.append(response.status in statuses)
        except urllib.error.HTTPError as error:
            result.append(error.code in statuses)
        except (OSError, ValueError):
            result.append(False)

    # A thread, since a name lookup knows no time limit; it ends with the process if it hangs.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(result and result[0])


def any_answers(urls: Sequence[str], statuses: Collection[int] = (200,)) -> bool:
    """Whether one of the URLs answers; all are asked at once."""
    with ThreadPoolExecutor(max_workers=max(1, len(urls))) as pool:
        return any(list(pool.map(lambda url: answers(url, statuses), urls)))


def failed_lately(private: Path, what: str) -> bool:
    """Whether a probe for `what` failed within the last day, so that it need not be repeated."""
    return time.time() - _read(private).get(what, 0.0) < REMEMBERED_SECONDS


def remember_failure(private: Path, what: str) -> None:
    """Remember that a probe for `what` failed now."""
    remembered = {**_read(private), what: time.time()}
    (private / "reach.json").write_text(json.dumps(remembered, indent=1) + "\n")


def _read(private: Path) -> dict[str, float]:
    try:
        content = json.loads((private / "reach.json").read_text())
    except (OSError, ValueError):
        return {}
    return {k: float(v) for k, v in content.items() if isinstance(v, int | float)} if isinstance(content, dict) else {}
