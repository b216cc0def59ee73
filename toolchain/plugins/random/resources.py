"""The resource types of the random plugin. Nothing of them lies outside the state: reading gives it back, deleting does nothing.

Fields, defaults and what replaces: terraform-provider-random, internal/provider/resource_{bytes,id,password,string,uuid}.go.
Names and which outputs are secret: pulumi-random's schema.json.
"""

import base64
import binascii
import json
import secrets
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from toolchain.plugins.common.errors import UserError
from toolchain.plugins.common.provider import Call, Resource, State
from toolchain.plugins.common.schema import Field, Kind, ResourceType, at_least
from toolchain.plugins.common.values import UNKNOWN, has_unknown
from toolchain.plugins.random import generate

_KEEPERS = Field(Kind.MAP, replaces=True)
_TRUE = Field(Kind.BOOL, default=True, replaces=True)
_MINIMUM = Field(Kind.INT, default=0, replaces=True, rule=at_least(0))
_OUTPUT = Field(Kind.STRING, output_only=True)
_SECRET_OUTPUT = Field(Kind.STRING, output_only=True, secret=True)
_MINIMUMS = ("minLower", "minUpper", "minNumeric", "minSpecial")
_NO_ID = "none"
"""Terraform's id for what has no id of its own."""


class _Random(Resource):
    """A value that is made once."""

    def read(self, call: Call, resource_id: str, state: State, inputs: State) -> tuple[str, State, State] | None:
        """The state as it is; for an import, the state made from the id."""
        del call
        return (resource_id, state, inputs) if state else self.take_over(resource_id)

    @abstractmethod
    def take_over(self, value: str) -> tuple[str, State, State]:
        """Import: id, outputs and inputs for a value that exists. Raises UserError where it is not one."""

    def update(self, call: Call, resource_id: str, state: State, inputs: State) -> State:
        """What the inputs say now; the value stays."""
        del call, resource_id
        fields = self.kind.fields
        kept = {key: value for key, value in state.items() if key not in fields or fields[key].output_only}
        return kept | self.plan(inputs, state)

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Nothing but the state is there to go."""


def _replaces_special(old: Any, new: Any) -> bool:
    """Not for `""` to unset, and not while it is unknown (stringplanmodifiers.RequiresReplaceUnlessEmptyStringToNull)."""
    return bool(new != UNKNOWN and (new is not None or old != ""))


def _ascii(value: str) -> str | None:
    return None if value.isascii() else "must be ASCII characters"


_TEXT_FIELDS: dict[str, Field] = {
    "keepers": _KEEPERS,
    "length": Field(Kind.INT, required=True, replaces=True, rule=at_least(1)),
    "special": _TRUE,
    "upper": _TRUE,
    "lower": _TRUE,
    # Two names of one setting, kept the same (boolplanmodifiers.NumberNumericAttributePlanModifier).
    "number": Field(Kind.BOOL, replaces=True),
    "numeric": Field(Kind.BOOL, replaces=True),
    "minNumeric": _MINIMUM,
    "minUpper": _MINIMUM,
    "minLower": _MINIMUM,
    "minSpecial": _MINIMUM,
    "overrideSpecial": Field(Kind.STRING, replaces=_replaces_special, rule=_ascii),
}


def _text_problems(inputs: Mapping[str, Any]) -> list[str]:
    number, numeric = inputs.get("number"), inputs.get("numeric")
    length, minimums = inputs["length"], [inputs.get(key, 0) for key in _MINIMUMS]
    used = [inputs.get(key, True) for key in ("lower", "upper", "special")] + [numeric if number is None else number]
    found = []
    if not has_unknown([number, numeric]) and None not in (number, numeric) and number != numeric:
        found.append("number and numeric are both given, with different values; give numeric only")
    if has_unknown([length, *minimums]):
        return found
    if length < sum(minimums):
        found.append(f"length must be at least the sum of {', '.join(_MINIMUMS)}, which is {sum(minimums)}")
    elif length > sum(minimums) and all(flag is False for flag in used):
        found.append("lower, upper, numeric and special are all false: there is nothing to draw characters from")
    return found


class _Text(_Random):
    """A random string."""

    def __init__(self, token: str, outputs: Mapping[str, Field], schema_version: int) -> None:
        self.kind = ResourceType(token, {**_TEXT_FIELDS, **outputs}, rule=_text_problems)
        # The official plugin reads from it how old a state is, and takes over one of the stand-in without a change.
        self._meta = json.dumps({"schema_version": str(schema_version)}, separators=(",", ":"))

    def plan(self, inputs: State, state: State | None) -> State:
        """Defaults, and both names of `numeric`."""
        number, numeric = inputs.get("number"), inputs.get("numeric")
        one = numeric if numeric is not None else number
        value = True if one is None else one
        return super().plan(inputs, state) | {"number": value, "numeric": value}

    def create(self, call: Call, inputs: State) -> tuple[str, State]:
        """Draw the characters."""
        del call
        plan = self.plan(inputs, None)
        lower, upper, numeric, special = (plan[key] for key in _MINIMUMS)
        classes = generate.classes(
            lower=plan["lower"],
            upper=plan["upper"],
            numeric=plan["numeric"],
            special=plan["special"],
            special_characters=plan.get("overrideSpecial", ""),
            minimums=(lower, upper, numeric, special),
        )
        return self._outputs(plan, generate.text(plan["length"], classes))

    def take_over(self, value: str) -> tuple[str, State, State]:
        """The value itself stands for the id; everything else gets its default."""
        inputs: State = {"length": len(value)}
        resource_id, outputs = self._outputs(self.plan(inputs, None), value)
        return resource_id, outputs, inputs

    def _outputs(self, plan: State, text: str) -> tuple[str, State]:
        """Id and outputs."""
        return text, plan | {"result": text, "id": text, "__meta": self._meta}


class _Password(_Text):
    """A random string that is secret, and its bcrypt hash."""

    def _outputs(self, plan: State, text: str) -> tuple[str, State]:
        _, outputs = super()._outputs(plan, text)
        return _NO_ID, outputs | {"id": _NO_ID, "bcryptHash": generate.bcrypt_hash(text)}


class _Bytes(_Random):
    """Random bytes that are secret."""

    kind = ResourceType(
        "random:index/randomBytes:RandomBytes",
        {
            "keepers": _KEEPERS,
            "length": Field(Kind.INT, required=True, replaces=True, rule=at_least(1)),
            "base64": _SECRET_OUTPUT,
            "hex": _SECRET_OUTPUT,
        },
    )

    def create(self, call: Call, inputs: State) -> tuple[str, State]:
        """Draw the bytes."""
        del call
        return _NO_ID, inputs | self._forms(secrets.token_bytes(inputs["length"]))

    def take_over(self, value: str) -> tuple[str, State, State]:
        """The id is the bytes in base64."""
        try:
            found = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise UserError("the id to import random bytes by is their base64 form; this one is not base64") from None
        inputs: State = {"length": len(found)}
        return _NO_ID, inputs | self._forms(found), inputs

    @staticmethod
    def _forms(value: bytes) -> State:
        return {"base64": base64.b64encode(value).decode(), "hex": value.hex()}


class _Id(_Random):
    """A random id, not secret, in several forms."""

    kind = ResourceType(
        "random:index/randomId:RandomId",
        {
            "keepers": _KEEPERS,
            "byteLength": Field(Kind.INT, required=True, replaces=True, rule=at_least(1)),
            "prefix": Field(Kind.STRING, replaces=True),
            **{
                form: Field(Kind.STRING, output_only=True, derives_from=("prefix",))
                for form in ("b64Std", "b64Url", "dec", "hex")
            },
        },
    )

    def create(self, call: Call, inputs: State) -> tuple[str, State]:
        """Draw the bytes."""
        del call
        forms = self._forms(secrets.token_bytes(inputs["byteLength"]), inputs.get("prefix", ""))
        return forms["id"], inputs | forms

    def take_over(self, value: str) -> tuple[str, State, State]:
        """The id is `b64url` or `prefix,b64url`."""
        prefix, _, digits = value.rpartition(",")
        try:
            found = base64.b64decode(digits + "=" * (-len(digits) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            raise UserError("the id to import a random id by is [prefix,]b64Url; this one is not URL-safe base64") from None
        inputs: State = {"byteLength": len(found)} | ({"prefix": prefix} if prefix else {})
        forms = self._forms(found, prefix)
        return forms["id"], inputs | forms, inputs

    @staticmethod
    def _forms(value: bytes, prefix: str) -> State:
        resource_id = generate.unpadded_base64(value)
        return {
            "id": resource_id,
            "b64Url": prefix + resource_id,
            "b64Std": prefix + base64.b64encode(value).decode(),
            "hex": prefix + value.hex(),
            "dec": prefix + str(int.from_bytes(value, "big")),
        }


class _Uuid(_Random):
    """A random UUID, not secret."""

    kind = ResourceType("random:index/randomUuid:RandomUuid", {"keepers": _KEEPERS, "result": _OUTPUT})

    def create(self, call: Call, inputs: State) -> tuple[str, State]:
        """Draw the bytes."""
        del call
        return self._outputs(secrets.token_bytes(16), inputs)

    def take_over(self, value: str) -> tuple[str, State, State]:
        """The id is the UUID."""
        digits = value.replace("-", "")
        try:
            found = bytes.fromhex(digits)
        except ValueError:
            found = b""
        if generate.uuid_text(found) != value.lower():
            raise UserError("the id to import a random UUID by is the UUID; this one does not have the form of one")
        return *self._outputs(found, {}), {}

    @staticmethod
    def _outputs(value: bytes, inputs: State) -> tuple[str, State]:
        text = generate.uuid_text(value)
        return text, inputs | {"id": text, "result": text}


RESOURCES: tuple[Resource, ...] = (
    _Password(
        "random:index/randomPassword:RandomPassword",
        {"result": _SECRET_OUTPUT, "bcryptHash": _SECRET_OUTPUT},
        schema_version=3,
    ),
    _Text("random:index/randomString:RandomString", {"result": _OUTPUT}, schema_version=2),
    _Bytes(),
    _Id(),
    _Uuid(),
)
