"""Makes a fixture of an engine's event log: `python -m tests.unit.preview.record LOG OUT`.

What says where the log was made, long texts and the engine's debug lines go; nothing is added. A log is made by
`PULUMI_DEBUG_COMMANDS=1 pulumi preview --event-log LOG`.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

_LONG = 120


def trimmed(value: Any) -> Any:
    """A value with its long texts cut, each of them to something of its own."""
    if isinstance(value, dict):
        return {k: trimmed(v) for k, v in value.items() if k not in ("mountpoint", "ipAddress", "networkDatas", "healthchecks")}
    if isinstance(value, list):
        return [trimmed(v) for v in value]
    if isinstance(value, str):
        value = re.sub(r"(/[\w.-]+)+/supastack(?=/|$)", "/clone", value)
        return value if len(value) <= _LONG else f"{value[:40]}... {len(value)} {sum(value.encode()) % 9973}"
    return value


def main(log: str, out: str) -> None:
    """Reads one, writes the other."""
    events = [json.loads(line) for line in Path(log).read_text().splitlines()]
    ended = {event["resOutputsEvent"]["metadata"]["urn"] for event in events if "resOutputsEvent" in event}
    kept = [event for event in events if _tells(event, ended)]
    for event in kept:
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            if kind in event:
                event[kind]["metadata"] = _metadata(event[kind]["metadata"])
        if "preludeEvent" in event:
            event["preludeEvent"] = {"config": {}}
    Path(out).write_text("".join(f"{json.dumps(event, separators=(',', ':'))}\n" for event in kept))


def _tells(event: dict[str, Any], ended: set[str]) -> bool:
    if event.get("diagnosticEvent", {}).get("severity") == "debug":
        return False
    if "resourcePreEvent" in event:
        # What comes at its end has the same, and more.
        return event["resourcePreEvent"]["metadata"]["urn"] not in ended
    metadata = event.get("resOutputsEvent", {}).get("metadata")
    return not (metadata and metadata["op"] == "refresh" and not metadata.get("diffs") and metadata.get("new"))


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    found = {k: v if k == "urn" else trimmed(v) for k, v in metadata.items() if k not in ("provider", "logical")}
    for side in ("old", "new"):
        if found[side]:
            found[side] = {k: v for k, v in found[side].items() if k not in ("provider", "urn", "type", "id", "custom")}
            if "parent" in metadata[side]:
                found[side]["parent"] = metadata[side]["parent"]
            if found["op"] == "same" and found["type"] != "pulumi:pulumi:Stack":
                found[side].update(inputs={}, outputs={})
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
