"""A webhook receiver in its own process: checks signatures, answers as a script says and keeps a journal.

    python receiver.py SECRET JOURNAL DELAY_SECONDS SCRIPT_JSON

The script maps an identifier to its answers in order (a status, `[status, retry_after]` or `"hang"`); further answers
are 200. A journal line is `<status> <webhook-id> <milliseconds> <body>`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

SECRET, JOURNAL, DELAY, SCRIPT = sys.argv[1], sys.argv[2], float(sys.argv[3]), json.loads(sys.argv[4])
HANG_SECONDS = 30

verifier = Webhook(SECRET)
guard = threading.Lock()
seen: dict[str, int] = defaultdict(int)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body go in one packet; otherwise Nagle and delayed acknowledgement cost 40 ms for each answer.
    wbufsize = -1

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        received = self.rfile.read(length)
        if len(received) < length:
            # The sender died while it sent the request.
            self.close_connection = True
            return
        body = received.decode()
        try:
            verifier.verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.answer(401, body, None)
            return
        time.sleep(DELAY)
        identifier = json.loads(body)["data"]["identifier"]
        with guard:
            step = seen[identifier]
            seen[identifier] += 1
        script = SCRIPT.get(identifier, [])
        planned = script[step] if step < len(script) else 200
        if planned == "hang":
            time.sleep(HANG_SECONDS)
            self.close_connection = True
            return
        status, after = planned if isinstance(planned, list) else (planned, None)
        self.answer(status, body, after)

    def answer(self, status: int, body: str, retry_after: int | None) -> None:
        line = f"{status} {self.headers['webhook-id']} {time.time() * 1000:.0f} {body}\n"
        with guard, open(JOURNAL, "a", encoding="utf-8") as journal:
            journal.write(line)
        self.send_response(status)
        if retry_after is not None:
            self.send_header("retry-after", str(retry_after))
        if status in (301, 302, 307):
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Writes nothing to standard error."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Ignores senders that die: the tests kill them."""


server = Server(("127.0.0.1", 0), Receiver)
print(server.server_address[1], flush=True)
server.serve_forever()
