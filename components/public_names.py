"""Names of variables whose values build tools write into what browsers load, and the guard that no secret gets into one.

Each beginning is from its tool's own documents: Next.js, Create React App, Vite, Nuxt (`runtimeConfig.public`), Expo, Gatsby, SvelteKit
and Astro (PUBLIC_), Vue CLI, Storybook, RedwoodJS, @ngx-env/builder for Angular, Nx.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from components import env_template
from components.env_app import App, Variable
from components.env_sources import Source, find

_PUBLIC: Final = re.compile(
    r"(NEXT_PUBLIC|REACT_APP|VITE|NUXT_PUBLIC|EXPO_PUBLIC|GATSBY|PUBLIC|VUE_APP|STORYBOOK|REDWOOD_ENV|NG_APP|NX_PUBLIC)_",
    re.IGNORECASE,
)
_OPEN: Final = ("host", "port", "user", "path")
"""Parts of a secret URL that are no secret."""
INSTEAD: Final = "ANON_KEY or PUBLISHABLE_KEY"
"""What browsers may have."""


def is_public(variable: str) -> bool:
    """Whether what browsers load has a variable's value in it, by the variable's name."""
    return _PUBLIC.match(variable) is not None


def leaked(variable: str, text: str, source: Callable[[str], Source | None] = find) -> tuple[str, ...]:
    """The secret values of the stack that a public variable's text would give away; none where the name is not public.

    Host, port, user and path of a secret URL are no secret.

    Args:
        variable: Its name.
        text: Its text, with references that can be read.
        source: What a value is; that a name has none is told elsewhere.
    """
    if not is_public(variable):
        return ()
    found = (
        r.name for r in env_template.references(text) if r.part not in _OPEN and (s := source(r.name)) is not None and s.secret
    )
    return tuple(dict.fromkeys(found))


def why(names: Iterable[str]) -> str:
    """Why a secret must not stand there."""
    given = list(names)
    what = f"{' and '.join(given)} {'is a secret' if len(given) == 1 else 'are secrets'}"
    return f"{what}, and build tools write variables of that name into what browsers load"


def problems(app: App) -> dict[str, str]:
    """What of an env file's template would give a secret away: a line by the variable's name, sorted."""
    found = {name: _problem(variable) for name, variable in sorted(app.variables.items())}
    return {name: line for name, line in found.items() if line is not None}


def _problem(variable: Variable) -> str | None:
    names = [name for text in (variable.value, variable.instead or "") for name in leaked(variable.key, text)]
    if not names and is_public(variable.key) and variable.secret and not env_template.names(variable.value):
        names = ["its value in appSecrets"]
    if not names:
        return None
    return f"{variable.key}: {why(dict.fromkeys(names))}. Use {INSTEAD} there, or a variable of another name for the server."
