"""The way from a node to the world, over this machine: for images that are pulled, and for pods that call somebody outside."""

import subprocess
from pathlib import Path

from toolchain.announce import note
from toolchain.cluster.layout import Layout

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
"""systemd's first: the other one then names a resolver that only this machine itself can ask."""


def allow(layout: Layout) -> None:
    """Let the node's traffic out under this machine's address, past Docker's rule that nothing is forwarded."""
    if _FORWARDING.read_text().strip() == "0":
        # As Docker does it. Not taken back at the end, since others may rely on it by then.
        _FORWARDING.write_text("1\n")
        note("cluster: this machine forwards between its networks now (net.ipv4.ip_forward), so that the node has a way out")
    rules = f"""
        table ip {_table(layout)} {{
            chain leaving {{
                type nat hook postrouting priority srcnat
                ip saddr {layout.node_address} oifname != "{layout.link}" masquerade
            }}
        }}
    """
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, capture_output=True, check=False)
    # In Docker's own chain where there is one: it is asked first, and Docker leaves it alone.
    for rule in _rules(layout):
        for chain in ("DOCKER-USER", "FORWARD"):
            if _iptables("-C", chain, *rule) or _iptables("-I", chain, *rule):
                break


def forbid(layout: Layout) -> None:
    """Take it all back."""
    subprocess.run(["nft", "delete", "table", "ip", _table(layout)], stderr=subprocess.DEVNULL, check=False)
    for rule in _rules(layout):
        for chain in ("DOCKER-USER", "FORWARD"):
            while _iptables("-D", chain, *rule):
                pass


def nameservers() -> tuple[str, ...]:
    """The IPv4 resolvers of this machine that a node can ask."""
    for path in _RESOLVERS:
        if path.exists():
            lines = [line.split() for line in path.read_text().splitlines()]
            found = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
            return tuple(one for one in found if ":" not in one and not one.startswith("127."))
    return ()


def _table(layout: Layout) -> str:
    return layout.link


def _rules(layout: Layout) -> tuple[tuple[str, ...], ...]:
    return (
        ("-i", layout.link, "-j", "ACCEPT"),
        ("-o", layout.link, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"),
    )


def _iptables(*arguments: str) -> bool:
    command = ["iptables", "--wait", "5", *arguments]
    try:
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False
