"""Settings of the edge functions (edge-runtime)."""

import re
from typing import Annotated, Final, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, Setting, size

OF_THE_ROUTER: Final = ("JWT_SECRET", "VERIFY_JWT")
"""Variables that the router in front of the functions goes by, beside SUPABASE_...: no function is given them."""


def function_name(text: str) -> str:
    """Check the name of a function: the last part of its URL, and its folder (as the Supabase CLI takes it)."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", text):
        raise Refused(
            "it is not the name of a function", 'use letters, digits, "_" and "-", beginning with a letter, as in "send-mail"'
        )
    return text


def folder_path(text: str) -> str:
    """Check the path of a folder: relative to the project's folder, or absolute."""
    if not text or text != text.strip() or not text.isprintable():
        raise Refused(
            "it is empty, or has spaces around it or characters that can't be shown", 'write a path as "supabase/functions"'
        )
    if text.startswith("~"):
        raise Refused('"~" is not replaced here', "write the whole path, or one relative to the project's folder")
    if ":" in text:
        raise Refused('it has a ":", which Docker takes for the end of the path', "rename the folder, or choose another")
    if len(text.encode()) > 1024 or any(len(part.encode()) > 255 for part in text.split("/")):
        raise Refused("it is longer than paths can be", "choose a shorter one")
    return text


@declared
class FunctionSettings(TypedDict):
    """One function."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether it can be called."""
    verifyJwt: NotRequired[Annotated[bool, Setting()]]
    """Whether a call of it needs a valid token. Unset: as for all functions."""


@declared
class FunctionsSettings(TypedDict):
    """Edge functions (edge-runtime)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
    folder: NotRequired[Annotated[str, Setting(check=folder_path)]]
    """Folder with a folder for each function, relative to the project's, on the machine of the Docker daemon. Unset: a volume."""
    verifyJwt: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether a call needs a valid token: a user's, or one of the API keys."""
    each: NotRequired[Annotated[dict[str, FunctionSettings], Setting(default={}, key_check=function_name)]]
    """What differs for one function, by its name."""
    memoryLimit: NotRequired[Annotated[str, size("150mb", minimum="32mb", maximum="64gb")]]
    """Memory that one running function may take. For several at once raise `services.functions.memory`, too."""
    timeout: NotRequired[Annotated[int, Setting(default=60, unit="seconds", minimum=1, maximum=86400)]]
    """How long a function may run."""
    requestIdleTimeout: NotRequired[Annotated[int, Setting(default=150, unit="seconds", minimum=1, maximum=86400)]]
    """How long a request may wait for a function's answer. Not in releases of 2024."""
    cpuSoftLimit: NotRequired[Annotated[int, Setting(unit="milliseconds", minimum=0, maximum=86400000)]]
    """Processor time after which a function takes no new requests; 0 is no limit. Unset: the runtime's own."""
    cpuHardLimit: NotRequired[Annotated[int, Setting(unit="milliseconds", minimum=0, maximum=86400000)]]
    """Processor time after which a function is ended; 0 is no limit. Unset: the runtime's own."""
