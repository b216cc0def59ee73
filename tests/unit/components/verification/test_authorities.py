"""By whose word a certificate is taken."""

from pathlib import Path

import pytest

from components.verification import network
from components.verification.wrong import Wrong
from tests.unit.components.verification.own_authority import authority


def _known(ca: str | None, *, also: bool = False) -> set[str]:
    return {
        str(dict(part[0] for part in found["subject"])["commonName"]) for found in network.context(ca, also=also).get_ca_certs()
    }


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An authority of one's own, on a machine that knows one other."""
    monkeypatch.setenv("SSL_CERT_FILE", authority(tmp_path, "machine"))
    return authority(tmp_path, "own")


def test_an_own_authority_is_the_only_one_unless_the_machines_count_too(own: str) -> None:
    assert _known(None) == {"machine"}
    assert _known(own) == {"own"}
    assert _known(own, also=True) == {"own", "machine"}


def test_a_file_that_holds_no_certificate_is_told_of_in_both_cases(own: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for also in (False, True):
        with pytest.raises(Wrong, match="holds no certificate that can be read"):
            network.context(str(tmp_path / "empty.pem"), also=also)
