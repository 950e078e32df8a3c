"""A client of the API server for tests: plain JSON over connections of its own, nothing of Berth's in it."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Object = dict[str, Any]

_IDLE = 20.0

PVS = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


def claims(namespace: str) -> str:
    """Where the claims of a namespace are."""
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"


def events(namespace: str) -> str:
    """Where the Events of a namespace are."""
    return f"/api/v1/namespaces/{namespace}/events"


class ApiError(Exception):
    """The API server said no."""

    def __init__(self, request: str, code: int, message: str) -> None:
        super().__init__(f"{request}: {code} {message}")
        self.code = code
        self.message = message


class Api:
    """One user's access to one API server. May be used by several threads, each with a connection of its own."""

    def __init__(self, kubeconfig: Path) -> None:
        """kubeconfig: one of the dev cluster's, which are JSON."""
        config = json.loads(kubeconfig.read_text())
        where = config["clusters"][0]["cluster"]
        address = urlsplit(where["server"])
        self._host, self._port = address.hostname or "", address.port or 443
        self._tls = ssl.create_default_context(cafile=where["certificate-authority"])
        self._token = config["users"][0]["user"]["token"]
        self._own = threading.local()

    def get(self, path: str) -> Object | None:
        """The object at path, None when there is none."""
        try:
            return self.request("GET", path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(self, path: str, **query: str) -> list[Object]:
        """The objects at path."""
        found: list[Object] = self.request("GET", f"{path}?{urlencode(query)}" if query else path)["items"]
        return found

    def create(self, path: str, body: Mapping[str, Any]) -> Object:
        """Posts a new object."""
        return self.request("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Object:
        """Merges body into an object."""
        return self.request("PATCH", path, body, content_type="application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Asks for an object's deletion. Already gone is fine."""
        try:
            self.request("DELETE", path)
        except ApiError as error:
            if error.code != 404:
                raise

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, content_type: str = "application/json"
    ) -> Object:
        """One request. ApiError when it is refused, OSError or HTTPException when no answer came."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type}
        payload = None if body is None else json.dumps(body).encode()
        target = quote(path, safe="/?&=%,.:")
        for is_last in (method != "GET", True):
            connection = self._connection()
            try:
                connection.request(method, target, payload, headers)
                answer = connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                connection.close()
                if is_last:  # the first failure may be that of a connection from before a restart
                    raise
        decoded: Object = json.loads(text or b"{}")
        if answer.status >= 400:
            raise ApiError(f"{method} {path}", answer.status, str(decoded.get("message", "")))
        return decoded

    def _connection(self) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._own, "connection", None)
        # The server closes what is idle for long, and a request sent at that moment would be lost.
        if connection is None or time.monotonic() > self._own.used + _IDLE:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=30, context=self._tls)
            self._own.connection = connection
        self._own.used = time.monotonic()
        return connection
