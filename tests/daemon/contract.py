# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds every answer of the daemon against api/openapi.yaml, and what it has accepted too.

An answer must be one that the operation has: its status, its content type, its fields, and a body that the
schema allows. A request that was accepted must be one that the document allows. What was served is noted, so
that in the end it can be told whether all of the document is true.
"""

import json
import re
import threading
from datetime import datetime
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema
import yaml

from support import TREE

# What can come of any request, and so stands in the document once, as "default".
COMMON_STATUSES = {"403", "413", "415", "500", "501", "503"}

JSON = "application/json"
LINES = "application/x-ndjson"
PROBLEM = "application/problem+json"

format_checker = jsonschema.FormatChecker(formats=["uuid"])


@format_checker.checks("date-time", raises=ValueError)
def is_date_time(text):
    if isinstance(text, str):
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return True


def read_errors():
    """The table of errors.def: code -> (status, title)."""
    line = re.compile(r'^ERROR\((\w+), "([^"]+)", (\d+), "[^"]+", "([^"]+)"\)$', re.MULTILINE)
    text = (TREE / "api/errors.def").read_text()
    return {code: (int(status), title) for _, code, status, title in line.findall(text)}


def without_nulls(value):
    """In a request, a member that is null counts as absent."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


class Contract:
    def __init__(self):
        self.document = yaml.safe_load((TREE / "api/openapi.yaml").read_text())
        self.errors = read_errors()
        self.served = set()
        self._resolver = jsonschema.RefResolver("", self.document)
        self._lock = threading.Lock()  # the resolver is not for several threads
        self._paths = []
        for template, item in self.document["paths"].items():
            pattern = re.sub(r"\\{(\w+)\\}", self._parameter, re.escape(template))
            self._paths.append((template, re.compile(pattern + r"\Z"), item))
        # A name with a verb behind it is not just a name.
        self._paths.sort(key=lambda path: "}:" not in path[0])

    @staticmethod
    def _parameter(match):
        return "[^/]+(/[^/]+)?" if match[1] == "handle" else "[^/]+"

    def operations(self):
        """All (method, template) that the document has."""
        return {
            (method.upper(), template)
            for template, _, item in self._paths
            for method in item
            if method != "parameters"
        }

    def resolve(self, value):
        """A member of the document, with a reference at its top followed."""
        while "$ref" in value:
            value = self._resolver.resolve(value["$ref"])[1]
        return value

    def validate(self, value, schema, what):
        validator = jsonschema.Draft202012Validator(
            schema, resolver=self._resolver, format_checker=format_checker
        )
        with self._lock:
            error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        assert error is None, f"{what}: at {error.json_path}: {error.message}"

    def check(self, method, target, headers, body, answer):
        """Checks the answer to a request. body: the bytes that were sent."""
        what = f"{method} {target} -> {answer.status}"
        url = urlsplit(target)
        template, item = self._find(url.path)
        operation = item.get("get" if method == "HEAD" else method.lower() if method.isupper() else None)

        if operation is None:
            self._check_unknown(method, template, item, answer, what)
            return
        if answer.status < 300:
            if method != "HEAD":
                self.served.add((method, template))
            self._check_query(operation, url.query, what)
            self._check_request_body(operation, headers, body, what)
        self._check_answer(operation, method == "HEAD", answer, what)

    def _find(self, path):
        # A slash that is encoded does not end a segment.
        path = "/".join(unquote(segment).replace("/", "%2F") for segment in path.split("/"))
        for template, pattern, item in self._paths:
            if pattern.match(path):
                return template, item
        return None, {}

    def _check_unknown(self, method, template, item, answer, what):
        if template and answer.status != 403:
            assert answer.status == 405, f"{what}: the document does not have the method"
            methods = {key.upper() for key in item if key != "parameters"}
            methods |= {"HEAD"} if "GET" in methods else set()
            assert set(answer.headers["Allow"].split(", ")) == methods, what
        elif not template:
            assert answer.status in (403, 404), f"{what}: the document does not have the path"
        self.validate(answer.headers["X-Request-ID"], {"$ref": "#/components/schemas/RequestId"}, what)
        self._check_problem(answer, what)

    def parameters(self, operation):
        """Those of an operation, by name."""
        return {p["name"]: p for p in map(self.resolve, operation.get("parameters", []))}

    def query_parameters(self, method, template):
        """The names of those that go into the query."""
        operation = next(item for path, _, item in self._paths if path == template)[method.lower()]
        return {name for name, p in self.parameters(operation).items() if p["in"] == "query"}

    def _check_query(self, operation, query, what):
        parameters = self.parameters(operation)
        for name, value in parse_qsl(query, keep_blank_values=True):
            parameter = parameters.get(name, {})
            assert parameter.get("in") == "query", f"{what}: the document has no parameter {name}"
            self.validate(self._parse(value, parameter["schema"]), parameter["schema"], f"{what}: {name}")

    def _parse(self, text, schema):
        kind = self.resolve(schema).get("type")
        if kind in ("integer", "boolean"):
            return json.loads(text)
        return [text] if kind == "array" else text

    def _check_request_body(self, operation, headers, body, what):
        if "requestBody" not in operation:
            assert not body, f"{what}: the document has no body"
            return
        if not body and not self.resolve(operation["requestBody"]).get("required"):
            return
        content = self.resolve(operation["requestBody"])["content"]
        kind = headers["Content-Type"].partition(";")[0].strip().lower()
        assert kind in content, f"{what}: the document does not take {kind}"
        value = json.loads(body)
        if operation["operationId"] != "patchDevice":
            value = without_nulls(value)
        self.validate(value, content[kind]["schema"], f"{what}: what was accepted")

    def _check_answer(self, operation, is_head, answer, what):
        self.validate(answer.headers["X-Request-ID"], {"$ref": "#/components/schemas/RequestId"}, what)
        responses = operation["responses"]
        status = str(answer.status)
        assert status in responses or status in COMMON_STATUSES, f"{what}: the document has no such status"
        response = self.resolve(responses.get(status, responses["default"]))

        for name, header in response.get("headers", {}).items():
            header = self.resolve(header)
            schema = header["schema"]
            if name not in answer.headers and not header.get("required", True):
                continue
            assert name in answer.headers, f"{what}: there is no {name}"
            self.validate(self._parse(answer.headers[name], schema), schema, f"{what}: {name}")
        is_minimal = "Preference-Applied" in answer.headers and operation["operationId"] != "createDevices"
        if is_head or is_minimal or "content" not in response:
            assert answer.body == b"", f"{what}: the document has no content"
            return

        kind = answer.headers["Content-Type"]
        assert kind in response["content"], f"{what}: the document does not have {kind}"
        schema = response["content"][kind]["schema"]
        for value in self._values(kind, answer):
            self.validate(value, schema, what)
        if answer.status >= 400:
            self._check_problem(answer, what)

    @staticmethod
    def _values(kind, answer):
        """What the schema holds for."""
        if kind == LINES:
            return [json.loads(line) for line in answer.body.splitlines()]
        return [answer.json if kind in (JSON, PROBLEM) else answer.body.decode(errors="replace")]

    def _check_problem(self, answer, what):
        assert answer.headers["Content-Type"] == PROBLEM, what
        self.validate(answer.json, {"$ref": "#/components/schemas/Problem"}, what)
        status, title = self.errors[answer.json["code"]]
        assert (answer.status, answer.json["status"], answer.json["title"]) == (status, status, title), what
        if answer.status == 503:
            assert "Retry-After" in answer.headers, what


CONTRACT = Contract()
