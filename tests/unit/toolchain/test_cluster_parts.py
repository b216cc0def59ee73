"""The parts of a cluster of our own that need none to run."""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from toolchain.announce import ToolchainError
from toolchain.cluster import builds, certificates, configuration, layout, machine, pins, volumes
from toolchain.cluster.docker_images import full_name
from toolchain.cluster.images import write_image
from toolchain.cluster.layout import Layout

PROGRAMS = Path(builds.__file__).parent / "programs"


def test_every_module_pins_the_version_that_the_programs_are_built_and_named_by() -> None:
    assert f"k8s.io/kubernetes v{pins.KUBERNETES}" in (PROGRAMS / "kubernetes" / "go.mod").read_text()
    assert f"cloudnative-pg/cloudnative-pg v{pins.CNPG}" in (PROGRAMS / "cnpg" / "go.mod").read_text()
    version = pins.COREDNS_IMAGE.rpartition(":")[2]
    assert f"coredns/coredns v{version}." in (PROGRAMS / "coredns" / "go.mod").read_text()
    assert pins.CNPG.startswith(pins.CNPG_IMAGE.rpartition(":")[2])
    assert {one.name for one in PROGRAMS.iterdir()} == {*builds.PROGRAMS}


def test_kubernetes_own_modules_are_all_of_its_version() -> None:
    minor = pins.KUBERNETES.removeprefix("1.")
    replaced = [line.split() for line in (PROGRAMS / "kubernetes" / "go.mod").read_text().splitlines() if "=>" in line]
    assert replaced
    assert all(words[0] == words[2] and words[3] == f"v0.{minor}" for words in replaced)


def test_a_cluster_is_found_again_with_its_number_and_programs(tmp_path: Path) -> None:
    assert layout.load(tmp_path) is None
    layout.save(Layout(tmp_path, 7), Path("/programs"))
    found = layout.load(tmp_path)
    assert found == Layout(tmp_path.resolve(), 7)
    assert layout.binaries_of(found) == Path("/programs")
    assert (found.node_address, found.host_address) == ("10.213.7.2", "10.213.7.1")
    assert max(len(Layout(tmp_path, number).link) for number in layout.NUMBERS) <= 15


def test_certificates_name_whom_kubernetes_expects_and_the_kubeconfig_is_private(tmp_path: Path) -> None:
    made = Layout(tmp_path, 3)
    certificates.ensure(made)
    server = x509.load_pem_x509_certificate((made.pki / "apiserver.crt").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"10.213.3.2", "10.96.0.1"} <= {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    kubelet = x509.load_pem_x509_certificate((made.pki / "kubelet.crt").read_bytes())
    assert kubelet.subject.rfc4514_string() == f"CN=system:node:{layout.NODE},O=system:nodes"
    authority = x509.load_pem_x509_certificate((made.pki / "ca.crt").read_bytes())
    for one in (server, kubelet):
        one.verify_directly_issued_by(authority)
    key = authority.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert all(one.stat().st_mode & 0o077 == 0 for one in (made.kubeconfig, *made.pki.glob("*.key")))
    config = yaml.safe_load(made.kubeconfig.read_text())
    assert config["current-context"] == "supastack"
    assert config["clusters"][0]["cluster"]["server"] == "https://10.213.3.2:6443"

    before = made.kubeconfig.read_text()
    certificates.ensure(made)
    assert made.kubeconfig.read_text() == before
    certificates.ensure(Layout(tmp_path, 4))
    assert made.kubeconfig.read_text() != before, "another address needs other certificates"


def test_programs_write_into_the_clusters_folder_only(tmp_path: Path) -> None:
    made = Layout(tmp_path, 1)
    texts = configuration.files(made, restrict_oom_score=True, nameservers=("192.0.2.1",))
    kubelet = json.loads(texts[made.config / "kubelet.json"])
    for name in ("podLogsDir", "volumePluginDir", "resolvConf"):
        assert kubelet[name].startswith(f"{tmp_path}/")
    assert kubelet["cgroupRoot"] == made.cgroup
    assert kubelet["makeIPTablesUtilChains"] is False
    assert "restrict_oom_score_adj = true" in texts[made.config / "containerd.toml"]
    assert texts[made.config / "resolv.conf"] == "nameserver 192.0.2.1\n"
    kubelet_command = next(one for one in configuration.programs(made, Path("/bin")) if one.name == "kubelet").command
    assert f"--root-dir={tmp_path}/kubelet" in kubelet_command


def test_an_image_of_one_program_is_the_same_for_the_same_content(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"a program")

    def made() -> bytes:
        archive = io.BytesIO()
        write_image(archive, "supastack.local/one:1", {"/a/b": program, "/c": program}, {"Entrypoint": ["/c"], "User": "1:1"})
        return archive.getvalue()

    first = made()
    os.utime(program, (1, 1))
    assert made() == first
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:

        def read(name: str) -> Any:
            file = archive.extractfile(name)
            assert file
            return json.loads(file.read())

        (entry,) = read("index.json")["manifests"]
        assert entry["annotations"]["io.containerd.image.name"] == "supastack.local/one:1"
        manifest = read(f"blobs/{entry['digest'].replace(':', '/')}")
        config = read(f"blobs/{manifest['config']['digest'].replace(':', '/')}")
        assert config["config"] == {"Entrypoint": ["/c"], "User": "1:1"}
        layer = archive.extractfile(f"blobs/{manifest['layers'][0]['digest'].replace(':', '/')}")
        with tarfile.open(fileobj=layer, mode="r:gz") as files:
            assert [(one.name, one.mode) for one in files] == [("a", 0o755), ("a/b", 0o755), ("c", 0o755)]


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("valkey", "docker.io/library/valkey:latest"),
        ("valkey:8", "docker.io/library/valkey:8"),
        ("supabase/auth:v1", "docker.io/supabase/auth:v1"),
        ("supastack.local/stub:1", "supastack.local/stub:1"),
        ("localhost/stub", "localhost/stub:latest"),
        ("registry:5000/a/b", "registry:5000/a/b:latest"),
    ],
)
def test_a_reference_is_completed_as_docker_means_it(given: str, full: str) -> None:
    assert full_name(given) == full


def _claim(**more: Any) -> dict[str, Any]:
    annotations = {
        "volume.kubernetes.io/storage-provisioner": "supastack.local/folders",
        "volume.kubernetes.io/selected-node": layout.NODE,
    }
    return {
        "metadata": {
            "namespace": "app",
            "name": "data",
            "uid": "u1",
            "annotations": {**annotations, **more.get("annotations", {})},
        },
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "standard"},
        "status": {"phase": more.get("phase", "Pending")},
    }


def test_a_claim_gets_a_volume_once_a_pod_of_this_node_wants_it() -> None:
    assert volumes.waits(_claim())
    assert not volumes.waits(_claim(phase="Bound"))
    assert not volumes.waits(_claim(annotations={"volume.kubernetes.io/selected-node": "other"}))
    assert not volumes.waits(_claim(annotations={"volume.kubernetes.io/storage-provisioner": "another's"}))


def test_a_volume_is_bound_to_its_very_claim() -> None:
    made = volumes.volume_for(_claim(), Path("/volumes/one"))
    assert made["spec"]["claimRef"]["uid"] == "u1"
    assert made["spec"]["hostPath"]["path"] == "/volumes/one"
    assert made["metadata"]["name"] == "pvc-u1"


def test_only_released_volumes_of_ours_that_are_to_be_deleted_are_removed() -> None:
    def volume(phase: str, policy: str, provisioner: str) -> dict[str, Any]:
        return {
            "metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": provisioner}},
            "spec": {"persistentVolumeReclaimPolicy": policy},
            "status": {"phase": phase},
        }

    ours = "supastack.local/folders"
    goes = volume("Released", "Delete", ours)
    stays = [volume("Bound", "Delete", ours), volume("Released", "Retain", ours), volume("Released", "Delete", "another")]
    assert [*volumes.released([*stays, goes])] == [goes]


def test_who_is_not_root_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(machine, "missing_packages", lambda: ["nftables"])
    with pytest.raises(ToolchainError, match=r"needs root.*sudo apt-get install nftables.*SUPASTACK_TEST_CONTEXT"):
        machine.ensure_packages()


def test_what_is_missing_is_named_where_it_cannot_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "missing_packages", lambda: ["containerd", "containernetworking-plugins"])
    monkeypatch.setattr(machine.system, "can_apt_install", lambda: False)
    with pytest.raises(ToolchainError, match="apt-get install containerd containernetworking-plugins"):
        machine.ensure_packages()


def test_packages_are_told_by_the_programs_that_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_which", lambda program: None if program in ("ctr", "containerd", "nft") else "/bin/it")
    monkeypatch.setattr(machine, "_CNI", tmp_path)
    assert machine.missing_packages() == ["containerd", "containernetworking-plugins", "nftables"]
