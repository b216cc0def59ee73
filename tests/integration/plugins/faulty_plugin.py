"""A plugin of the tests' own: makes a file, and fails in the way that its input `mode` says."""

from toolchain.plugins.common.lifetime import end_with_parent

end_with_parent()

import os  # noqa: E402
from pathlib import Path  # noqa: E402

from toolchain.plugins.common.errors import InitFailed, UserError  # noqa: E402
from toolchain.plugins.common.official import Official  # noqa: E402
from toolchain.plugins.common.provider import Call, Resource, StandIn, State  # noqa: E402
from toolchain.plugins.common.schema import Field, Kind, ResourceType  # noqa: E402
from toolchain.plugins.common.server import serve  # noqa: E402


class Thing(Resource):
    kind = ResourceType(
        "faulty:index:Thing",
        {
            "path": Field(Kind.STRING, required=True, replaces=True),
            "mode": Field(Kind.STRING),
            "secret": Field(Kind.STRING),
            "shout": Field(Kind.STRING, output_only=True, derives_from=("secret",)),
        },
    )

    def create(self, call: Call, inputs: State) -> tuple[str, State]:
        if inputs.get("mode") == "refuse":
            raise UserError("the daemon said no")
        if inputs.get("mode") == "bug":
            raise ZeroDivisionError("of the plugin's own")
        path = Path(inputs["path"])
        path.write_text(str(os.getpid()))
        return path.name, self._settle(call, path.name, inputs)

    def update(self, call: Call, resource_id: str, state: State, inputs: State) -> State:
        return self._settle(call, resource_id, inputs)

    def read(self, call: Call, resource_id: str, state: State, inputs: State) -> tuple[str, State, State] | None:
        if not Path(state["path"]).exists():
            return None
        if state.get("mode") == "sick":
            raise InitFailed(resource_id, state, ["it is sick"], inputs)
        return resource_id, state, inputs

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        Path(state["path"]).unlink(missing_ok=True)

    def _settle(self, call: Call, resource_id: str, inputs: State) -> State:
        outputs = {**inputs, "shout": str(inputs.get("secret", "")).upper()}
        if inputs.get("mode") == "slow" and call.cancelled.wait(120):
            raise InitFailed(resource_id, outputs, ["cancelled while it waited"])
        if inputs.get("mode") == "sick":
            raise InitFailed(resource_id, outputs, ["it did not get ready", "it is sick"])
        return outputs


serve("1.0.0", StandIn(Official("faulty", "1.0.0"), [Thing()]))
