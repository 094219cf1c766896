"""A registry of named, lazily imported factories."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Generic, TypeVar

from tdmm.errors import UnknownName, did_you_mean

Product = TypeVar("Product")


class Registry(Generic[Product]):
    """Names to factories, each imported only when it is asked for.

    Args:
        kind: what is registered, in the singular, for messages ("quantizer").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._targets: dict[str, str] = {}

    def register(self, name: str, target: str) -> None:
        """Add `name`; `target` is ``package.module:attribute``. A second registration is an error."""
        if name in self._targets:
            raise ValueError(f"{self.kind} '{name}' is already registered as {self._targets[name]}")
        self._targets[name] = target

    def names(self) -> tuple[str, ...]:
        """Registered names, sorted."""
        return tuple(sorted(self._targets))

    def get(self, name: str) -> Callable[..., Product]:
        """Import and return the factory of that name.

        Raises:
            UnknownName: nothing is registered under it; the message lists what is.
        """
        if name not in self._targets:
            raise UnknownName(
                f"Unknown {self.kind} '{name}'.{did_you_mean(name, self._targets)} Known: {', '.join(self.names())}."
            )
        module, attribute = self._targets[name].split(":")
        factory: Callable[..., Product] = getattr(importlib.import_module(module), attribute)
        return factory
