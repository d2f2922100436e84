"""A schema registry as Confluent's API describes it, as far as `smsbus schema push` and `check` go.

A new version is compatible if it has all properties of the latest one (which is what FORWARD means for open schemas),
and under any other level if it has no more than those.
"""

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MEDIA = "application/vnd.schemaregistry.v1+json"


class RegistryStub(ThreadingHTTPServer):
    """Its state is what a test looks at."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.levels: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.login: str | None = None
        self.explains = True
        self.broken: tuple[int, bytes] | None = None
        """What it answers to all requests instead."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: dict[str, str]) -> tuple[int, Any]:
        for (verb, pattern), handle in ROUTES.items():
            if verb == method and (matched := re.fullmatch(pattern, path)):
                return handle(self, matched[1], body)
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def set_level(self, subject: str, body: dict[str, str]) -> tuple[int, Any]:
        self.levels[subject] = body["compatibility"]
        return 200, body

    def level(self, subject: str, _: dict[str, str]) -> tuple[int, Any]:
        if subject not in self.versions and subject not in self.levels:
            return missing(subject)  # as Apicurio does; Confluent's would answer with the global one
        return 200, {"compatibilityLevel": self.levels.get(subject, "BACKWARD")}

    def look_up(self, subject: str, body: dict[str, str]) -> tuple[int, Any]:
        if subject not in self.versions:
            return missing(subject)
        schema = json.loads(body["schema"])
        if schema not in self.versions[subject]:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"subject": subject, "version": self.versions[subject].index(schema) + 1, "id": 1}

    def register(self, subject: str, body: dict[str, str]) -> tuple[int, Any]:
        assert body["schemaType"] == "JSON"
        _, said = self.compatible(subject, body)
        if subject in self.versions and not said["is_compatible"]:
            return 409, {"error_code": 409, "message": f"Schema being registered is incompatible: {said['messages']}"}
        self.versions.setdefault(subject, []).append(json.loads(body["schema"]))
        return 200, {"id": 1}

    def list_versions(self, subject: str, _: dict[str, str]) -> tuple[int, Any]:
        return (200, [*range(1, len(self.versions[subject]) + 1)]) if subject in self.versions else missing(subject)

    def compatible(self, subject: str, body: dict[str, str]) -> tuple[int, Any]:
        if subject not in self.versions:
            return missing(subject)
        before, after = (set(each["properties"]) for each in (self.versions[subject][-1], json.loads(body["schema"])))
        wrong = before - after if self.levels.get(subject) == "FORWARD" else after - before
        said = {"messages": [f"PROPERTY at #/properties/{each}" for each in wrong]} if self.explains else {}
        return 200, {"is_compatible": not wrong, **said}


ROUTES = {
    ("PUT", r"/config/([^/]+)"): RegistryStub.set_level,
    ("GET", r"/config/([^/]+)\?defaultToGlobal=true"): RegistryStub.level,
    ("POST", r"/subjects/([^/]+)"): RegistryStub.look_up,
    ("POST", r"/subjects/([^/]+)/versions"): RegistryStub.register,
    ("GET", r"/subjects/([^/]+)/versions"): RegistryStub.list_versions,
    ("POST", r"/compatibility/subjects/([^/]+)/versions/latest\?verbose=true"): RegistryStub.compatible,
}


def missing(subject: str) -> tuple[int, Any]:
    return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}


class Handler(BaseHTTPRequestHandler):
    server: RegistryStub

    def do_GET(self) -> None:
        self._answer({})

    def do_PUT(self) -> None:
        self._answer(self._body())

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> dict[str, str]:
        assert self.headers["Content-Type"] == MEDIA
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: dict[str, str]) -> None:
        stub = self.server
        stub.requests.append((self.command, self.path))
        if stub.broken:
            self._send(*stub.broken)
        elif stub.login and self.headers["Authorization"] != f"Basic {b64encode(stub.login.encode()).decode()}":
            self._send(401, json.dumps({"error_code": 40101, "message": "Unauthorized"}).encode())
        else:
            status, content = stub.answer(self.command, self.path, body)
            self._send(status, json.dumps(content).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", MEDIA)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def registry_stub() -> Iterator[RegistryStub]:
    with RegistryStub() as stub:
        serving = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        try:
            yield stub
        finally:
            stub.shutdown()
            serving.join()
