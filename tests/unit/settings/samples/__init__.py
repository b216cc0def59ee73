"""Samples of texts: a file for each group of settings with a `TEXTS`; one that is put here is found."""

import importlib
import pkgutil

from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

__all__ = ["HIDDEN", "TEXTS", "Samples", "Texts"]

TEXTS: Samples = {}
for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    TEXTS |= getattr(importlib.import_module(f"{__name__}.{_module}"), "TEXTS", {})
