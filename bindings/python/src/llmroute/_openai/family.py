"""Which HTTP package the clients stand on.

The openai SDK 2.x sits on `httpx`, 3.x on `httpx2`; both have the same classes under the same names, so the code is
written once and given the module.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

PACKAGES = ("httpx2", "httpx")


def package_of_sdk() -> ModuleType:
    """The one that the installed openai SDK derives its clients from."""
    import openai

    base = next(cls for cls in openai.DefaultHttpxClient.__mro__ if cls.__name__ == "Client")
    return importlib.import_module(base.__module__.partition(".")[0])


def choose(package: str | None) -> ModuleType:
    """`package` by name; else the one the installed openai SDK uses; else the only one, the newer first."""
    if package is not None:
        if package not in PACKAGES:
            raise ValueError(f"package is {package!r}; there are {', '.join(PACKAGES)}")
        return importlib.import_module(package)
    if importlib.util.find_spec("openai") is not None:
        return package_of_sdk()
    for name in PACKAGES:
        if importlib.util.find_spec(name) is not None:
            return importlib.import_module(name)
    raise ImportError(f"none of {', '.join(PACKAGES)} is installed")
