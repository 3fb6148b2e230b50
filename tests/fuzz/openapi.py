"""The description of the demo's API, `docs/openapi.json`: what it says, and what fits it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A method of an address.

    Attributes:
        path: with its parameters, such as `/static/{name}`.
        method: in capital letters.
        fields: schemas of the fields of a request, by name.
        required: names of the fields that a request must have.
        responses: by status; of each, the schema of its JSON, or None if it has none.
    """

    path: str
    method: str
    fields: dict[str, Any]
    required: list[str]
    responses: dict[int, Any]

    def takes(self, path: str) -> bool:
        """Whether a path of a request, without its query, is that of the operation."""
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path))
        return re.fullmatch(pattern, path) is not None


class Description:
    """The whole description."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
        self.operations = list(self._operations())

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference refers to."""
        if "$ref" not in node:
            return node
        found: Any = self.document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)

    def _operations(self) -> Iterator[Operation]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {})
                assert set(content) in (set(), {"application/json", "multipart/form-data"})
                schemas = {json.dumps(each["schema"]) for each in content.values()}
                schema = self.resolve(json.loads(schemas.pop())) if schemas else {}
                assert not schemas  # both take the same
                yield Operation(
                    path=path,
                    method=method.upper(),
                    fields=schema.get("properties", {}),
                    required=schema.get("required", []),
                    responses={
                        int(status): self._json_schema(self.resolve(response))
                        for status, response in operation["responses"].items()
                    },
                )

    def _json_schema(self, response: dict[str, Any]) -> dict[str, Any] | None:
        media = response.get("content", {}).get("application/json")
        return media and self.resolve(media["schema"])

    def mismatch(self, schema: dict[str, Any], value: object, where: str = "the body") -> str:
        """Return what is wrong with a value; nothing if it fits a schema."""
        schema = self.resolve(schema)
        types = schema.get("type", [])
        types = types if isinstance(types, list) else [types]
        if types and not any(_is_a(value, each) for each in types):
            return f"{where} is a {type(value).__name__}, not {' or '.join(types)}"
        if "enum" in schema and value not in schema["enum"]:
            return f"{where} is {value!r}"
        if isinstance(value, list) and "items" in schema:
            parts = [(schema["items"], each, f"{where}[]") for each in value]
        elif isinstance(value, dict) and "properties" in schema:
            if set(value) != set(schema["required"]):
                return f"{where} has {', '.join(value)}"
            properties = schema["properties"]
            parts = [(properties[name], each, f"{where}.{name}") for name, each in value.items()]
        else:
            return ""
        return next(filter(None, (self.mismatch(*part) for part in parts)), "")


def _is_a(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])
