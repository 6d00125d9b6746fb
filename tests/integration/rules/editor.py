"""An editor that talks JSON-RPC with a language server in a subprocess."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from tests.waiting import PATIENCE


class Editor:
    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "quanyu", "rule", "lsp", *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._received: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._ids = count(1)
        self.capabilities: dict[str, Any] = {}

    def _read(self) -> None:
        assert self._process.stdout
        while header := self._process.stdout.readline():
            name, _, value = header.partition(b": ")
            if name == b"Content-Length":
                length = int(value)
            if header == b"\r\n":
                self._received.put(json.loads(self._process.stdout.read(length)))

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> Any:
        """Returns the result of a request; skips messages that arrive before it."""
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        while (answer := self._received.get(timeout=PATIENCE)).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def wait_for(self, method: str) -> Any:
        """Returns the parameters of the next notification of a method."""
        while (message := self._received.get(timeout=PATIENCE)).get("method") != method:
            pass
        return message["params"]

    def end(self) -> int:
        self.request("shutdown", None)
        self._send({"method": "exit"})
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def open_editor(*options: str, encodings: list[str] | None = None) -> Iterator[Editor]:
    """Opens and initializes an editor that offers these position encodings."""
    opened = Editor(*options)
    try:
        general = {} if encodings is None else {"general": {"positionEncodings": encodings}}
        greeting = {"processId": None, "rootUri": None, "capabilities": general}
        opened.capabilities = opened.request("initialize", greeting)["capabilities"]
        opened.notify("initialized", {})
        yield opened
    finally:
        opened.kill()
