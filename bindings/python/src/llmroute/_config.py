"""The forms a configuration may have, as the JSON that the native half reads."""

from __future__ import annotations

import os

from ._error import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._types import ConfigSource, Json


def config_text(
    config: ConfigSource | None, nodes: Iterable[str | Json] | None, strategy: str | None
) -> tuple[str, str]:
    """The JSON, and what to call it in messages."""
    import json

    text, source = _read(config)
    if nodes is None and strategy is None:
        return text, source
    tree = json.loads(text)
    if nodes is not None:
        tree["nodes"] = tree.get("nodes", []) + [node_table(node) for node in nodes]
    if strategy is not None:
        tree.setdefault("router", {})["strategy"] = strategy
    return json.dumps(tree), source


def node_table(node: str | Json) -> Json:
    """A node's URL stands for a node with nothing else set."""
    return {"url": node} if isinstance(node, str) else node


def _read(config: ConfigSource | None) -> tuple[str, str]:
    if config is None:
        return "{}", "configuration"
    if isinstance(config, dict):
        import json

        return json.dumps(config), "configuration"
    if isinstance(config, str) and config.lstrip().startswith("{"):
        return config, "configuration"
    return _read_file(os.fspath(config))


def _read_file(path: str) -> tuple[str, str]:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", code="invalid_config") from error
    if not path.endswith(".toml"):
        return text, path
    import json
    import tomllib

    try:
        return json.dumps(tomllib.loads(text)), path
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}", code="invalid_config") from error
