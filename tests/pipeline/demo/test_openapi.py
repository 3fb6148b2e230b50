"""docs/openapi.json says what the demo takes and answers."""

import base64
import json
import re
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from pipeline.demo.api_error import CODES
from pipeline.demo.app import create_app
from pipeline.demo.models import Models
from pipeline.demo.options import DemoOptions
from pipeline.demo.worker import Worker
from pipeline.picture import encode_png
from tests.fuzz.openapi import Description, Operation

DESCRIPTION = Description()
POSTS = [each for each in DESCRIPTION.operations if each.method == "POST"]
LINE = base64.b64encode(encode_png(np.full((20, 20), 255, np.uint8))).decode()
BOUNDS = [
    (operation, name, bound)
    for operation in POSTS
    for name, schema in operation.fields.items()
    for bound in ("minimum", "maximum")
    if bound in schema
]
CHOICES = [
    (operation, name)
    for operation in POSTS
    for name, schema in operation.fields.items()
    if "enum" in schema
]


@pytest.fixture(scope="module")
def app(models: Models) -> Any:
    worker = Worker(models, 64)
    yield create_app(models, worker, DemoOptions())
    worker.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def post(client: FlaskClient, operation: Operation, **fields: object) -> Any:
    return client.post(operation.path, json=dict.fromkeys(operation.required, LINE) | fields)


def test_description_has_every_address_and_method(app: Flask) -> None:
    found = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(each.path, each.method) for each in DESCRIPTION.operations} == found


def test_description_has_every_code_and_status() -> None:
    components = DESCRIPTION.document["components"]
    (error,) = components["schemas"]["Error"]["properties"].values()
    assert error["properties"]["code"]["enum"] == list(CODES)
    expected: dict[str, str] = {}
    for code, (status, meaning) in CODES.items():
        told = f"`{code}`: {meaning}"
        expected[str(status)] = "; ".join(filter(None, (expected.get(str(status)), told)))
    responses = components["responses"]
    assert {status: each["description"] for status, each in responses.items()} == expected


@pytest.mark.parametrize("operation", POSTS, ids=lambda each: each.path)
def test_description_has_every_field(client: FlaskClient, operation: Operation) -> None:
    response = post(client, operation, no_field=1)
    assert response.status_code == 400
    known = re.search(r"Use only (.*)\.$", response.json["error"]["message"])
    assert known
    assert known[1].split(", ") == list(operation.fields)
    for name in operation.required:
        without = {key: LINE for key in operation.required if key != name}
        missing = client.post(operation.path, json=without)
        assert missing.json["error"]["code"] == "missing_field"


@pytest.mark.parametrize("operation", POSTS, ids=lambda each: each.path)
def test_only_required_fields_are_needed_and_nothing_else_is_answered(
    client: FlaskClient, operation: Operation
) -> None:
    fields = {"size": 64} if "sketch" in operation.path else {}
    response = post(client, operation, **fields)
    assert response.status_code == 200
    assert not DESCRIPTION.mismatch(operation.responses[200], response.json)


def test_defaults_are_those_of_the_code(client: FlaskClient) -> None:
    for operation in POSTS:
        defaults = {
            name: schema["default"]
            for name, schema in operation.fields.items()
            if "default" in schema
        }
        without = {"size": 64} if "sketch" in operation.path else {}
        first, second = (
            post(client, operation, **(defaults | without)).json,
            post(client, operation, **without).json,
        )
        for response in (first, second):
            del response["seconds"], response["waited"]
        assert first == second, operation.path


@pytest.mark.parametrize(("operation", "name", "bound"), BOUNDS)
def test_bounds_of_numbers_are_those_of_the_code(
    client: FlaskClient, operation: Operation, name: str, bound: str
) -> None:
    number = operation.fields[name][bound]
    beyond = number - 1 if bound == "minimum" else number + 1
    response = post(client, operation, **{name: beyond})
    assert response.json["error"]["code"] == "bad_field"
    assert f"`{name}`" in response.json["error"]["message"]
    quick = {"model": "xdog"} if "sketch" in operation.path else {}
    assert post(client, operation, **{name: number}, **quick).status_code == 200


@pytest.mark.parametrize(("operation", "name"), CHOICES)
def test_choices_are_those_of_the_code(
    client: FlaskClient, operation: Operation, name: str
) -> None:
    response = post(client, operation, **{name: "none of them"})
    expected = ", ".join(operation.fields[name]["enum"])
    assert response.json["error"]["message"].endswith(f"expected one of {expected}.")


@pytest.mark.parametrize("path", ["/healthz", "/api/models"])
def test_reports_fit_the_description(client: FlaskClient, path: str) -> None:
    (operation,) = [each for each in DESCRIPTION.operations if each.path == path]
    assert not DESCRIPTION.mismatch(operation.responses[200], client.get(path).json)


def test_description_is_valid() -> None:
    assert DESCRIPTION.document["openapi"] == "3.1.0"
    text = json.dumps(DESCRIPTION.document)
    for reference in re.findall(r'"\$ref": "([^"]+)"', text):
        assert DESCRIPTION.resolve({"$ref": reference})
    for operation in DESCRIPTION.operations:
        described = DESCRIPTION.document["paths"][operation.path][operation.method.lower()]
        named = {each["name"] for each in described.get("parameters", ()) if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", operation.path))


def test_mismatch_finds_what_does_not_fit() -> None:
    (operation,) = [each for each in DESCRIPTION.operations if each.path == "/healthz"]
    right = {"status": "ok", "queue": 0, "device": "cpu"}
    assert not DESCRIPTION.mismatch(operation.responses[200], right)
    for wrong in ({"queue": "0"}, {"queue": True}, {"status": "bad"}, {"more": 1}):
        assert DESCRIPTION.mismatch(operation.responses[200], right | wrong)
    assert DESCRIPTION.mismatch(operation.responses[200], {"status": "ok"})
    assert DESCRIPTION.mismatch(operation.responses[200], [])
