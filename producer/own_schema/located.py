"""YAML whose every key knows its line, so that an error can name the place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from catalog.errors import UsageError


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file, and where it stands."""

    path: str
    line: int
    value: Any
    yaml_node: yaml.Node

    def fail(self, text: str) -> NoReturn:
        """Raise `UsageError` with the file and the line before `text`."""
        raise UsageError(f"{self.path}:{self.line}: {text}")

    def items(self, what: str) -> Iterator[tuple[str, "Node"]]:
        """Yield the keys of a mapping with their values; `what` names it in errors."""
        if not isinstance(self.yaml_node, yaml.MappingNode):
            self.fail(f"{what} must be a mapping; got {self.value!r}")
        seen: set[str] = set()
        for key_node, value_node in self.yaml_node.value:
            entry = _node(self.path, value_node, key_node.start_mark.line + 1)
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.value:
                entry.fail(f"{what}: a key must be a name; got {key_node.value!r}")
            if key_node.value in seen:
                entry.fail(f"{what}: a key must occur once; got {key_node.value!r} again")
            seen.add(key_node.value)
            yield key_node.value, entry


def read_located(path: Path, flag: str) -> Node:
    """Return a file's content; raise `UsageError` if it is no readable YAML."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise UsageError(f"{flag} must be a readable YAML file; got {reason} for {str(path)!r}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: must be YAML; got {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}:1: must be YAML; got {error}") from None
    if root is None:
        raise UsageError(f"{path}:1: must not be empty")
    return _node(str(path), root, root.start_mark.line + 1)


def _node(path: str, yaml_node: yaml.Node, line: int) -> Node:
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(yaml_node, deep=True)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else line
        raise UsageError(f"{path}:{line}: must be plain YAML; got {error.problem}") from None
    except (ValueError, RecursionError, TypeError) as error:
        raise UsageError(f"{path}:{line}: must be plain YAML; got {error}") from None
    finally:
        loader.dispose()
    return Node(path, line, value, yaml_node)
