"""The little of GitHub's REST API that delivery needs: one comment a pull request, one issue a stack, the state of a pull request.

The token goes into a header and nowhere else. Paths are those of GitHub's own documents (docs.github.com/rest: issues, pulls).
"""

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from toolchain.announce import fail

LIMIT: Final = 65_536
"""Characters that a body may have (GitHub's answer to a longer one: "Body is too long (maximum is 65536 characters)")."""
_CUT: Final = "\n\n*Cut here: the whole text is in the log of the workflow's run.*\n"
_AUTHOR: Final = "github-actions[bot]"
"""Who the token of a workflow's run writes as."""
_PAGE: Final = 100
_SECONDS: Final = 30
_LOOPBACK: Final = {"127.0.0.1", "localhost", "::1"}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: the token must not follow it to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class Repository:
    """A repository, and who asks."""

    api: str
    name: str
    """`owner/name`."""
    token: str
    author: str = _AUTHOR
    """Whose comments and issues are ours to edit."""

    def comment(self, number: int, marker: str, body: str, *, only_edit: bool = False) -> str | None:
        """Write the comment with this marker on a pull request: edit it where it is there. Returns its URL.

        A comment of somebody else's is never touched, whatever stands in it. With `only_edit` none is made: None where there is none.
        """
        text = body_of(marker, body)
        for found in self._all(f"/issues/{number}/comments"):
            if self._is_ours(found, marker):
                return str(self._ask("PATCH", f"/issues/comments/{int(found['id'])}", {"body": text}).get("html_url", ""))
        if only_edit:
            return None
        return str(self._ask("POST", f"/issues/{number}/comments", {"body": text}).get("html_url", ""))

    def issue(self, marker: str, title: str, body: str, label: str) -> str:
        """Have one open issue with this marker say this. Returns its URL."""
        text = body_of(marker, body)
        for found in self._open_issues(label):
            if self._is_ours(found, marker):
                return str(
                    self._ask("PATCH", f"/issues/{int(found['number'])}", {"title": title, "body": text}).get("html_url", "")
                )
        given = {"title": title, "body": text, "labels": [label]}
        return str(self._ask("POST", "/issues", given).get("html_url", ""))

    def close_issue(self, marker: str, label: str, why: str) -> bool:
        """Close the open issue with this marker, after a comment that says why. Whether there was one."""
        for found in self._open_issues(label):
            if self._is_ours(found, marker):
                number = int(found["number"])
                self._ask("POST", f"/issues/{number}/comments", {"body": why})
                self._ask("PATCH", f"/issues/{number}", {"state": "closed"})
                return True
        return False

    def is_closed(self, number: int) -> bool | None:
        """Whether a pull request is closed or merged; None where there is none of this number."""
        answer = self._ask("GET", f"/pulls/{number}", missing=True)
        return None if answer is None else answer.get("state") == "closed"

    def _open_issues(self, label: str) -> Iterator[Mapping[str, Any]]:
        return self._all(f"/issues?state=open&labels={quote(label)}")

    def _is_ours(self, found: Mapping[str, Any], marker: str) -> bool:
        author = (found.get("user") or {}).get("login")
        return author == self.author and str(found.get("body") or "").startswith(marker)

    def _all(self, path: str) -> Iterator[Mapping[str, Any]]:
        page = 1
        while True:
            found = self._ask("GET", f"{path}{'&' if '?' in path else '?'}per_page={_PAGE}&page={page}")
            yield from found
            if len(found) < _PAGE:
                return
            page += 1

    def _ask(self, method: str, path: str, given: Mapping[str, Any] | None = None, *, missing: bool = False) -> Any:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "User-Agent": "supastack",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = None
        if given is not None:
            data = json.dumps(given).encode()
            headers["Content-Type"] = "application/json"
        url = f"{self.api}/repos/{self.name}{path}"
        request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 - https, or loopback
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if missing and error.code == 404:
                return None
            fail(f"GitHub answered {error.code} to {method} {path}: {_message(error)}{_RIGHTS.get(error.code, '')}")
        except (OSError, ValueError) as error:
            fail(f"GitHub can't be asked at {self.api} ({method} {path}): {error}")


_RIGHTS: Final = {
    401: ". The token is not valid",
    403: ". The job's `permissions:` must allow it: pull-requests or issues: write",
    404: ". The repository or number is wrong, or the token may not see it",
}


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return error.reason


def body_of(marker: str, body: str) -> str:
    """The body with its marker first, and cut where it would be too long."""
    text = body if body.startswith(marker) else f"{marker}\n{body}"
    return text if len(text) <= LIMIT else text[: LIMIT - len(_CUT)].rstrip() + _CUT


def marker_of(kind: str, stack: str) -> str:
    """The invisible first line that a comment or an issue is found again by."""
    return f"<!-- supastack {kind}: {stack} -->"


def from_environment() -> Repository | None:
    """The repository that GITHUB_REPOSITORY names, asked with GITHUB_TOKEN at GITHUB_API_URL; None where either is not set.

    Raises ToolchainError for a repository's name or an address that can't be right.
    """
    name, token = os.environ.get("GITHUB_REPOSITORY"), os.environ.get("GITHUB_TOKEN")
    if not name or not token:
        return None
    if not re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", name):
        fail(f"GITHUB_REPOSITORY={name}: owner/name is wanted")
    api = (os.environ.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/")
    parts = urlsplit(api)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        fail(f"GITHUB_API_URL={api}: https is wanted, since the token goes there")
    return Repository(api, name, token, os.environ.get("SUPASTACK_COMMENT_AUTHOR") or _AUTHOR)


def needed() -> Repository:
    """The same; raises ToolchainError where it is not set."""
    repository = from_environment()
    if repository is None:
        fail("GITHUB_REPOSITORY and GITHUB_TOKEN are not set: a workflow's run has the first, and gets the second by `env:`")
    return repository
