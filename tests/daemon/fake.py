# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that answers what it is told: for what a client must understand that a daemon does not say at will."""

import http.server
import json
import socketserver
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, value = self.server.answer(self.command, self.path, json.loads(body) if body else None)
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer


class FakeServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """answers: (status, value) by "METHOD PATH"; requests: what has been asked, with the bodies."""

    daemon_threads = True

    def __init__(self, path, answers):
        super().__init__(str(path), Handler)
        self.answers = answers
        self.requests = []

    def answer(self, method, path, body):
        self.requests.append((f"{method} {path}", body))
        problem = {"title": "There is nothing at this path", "status": 404, "code": "not-found"}
        return self.answers.get(f"{method} {path}", (404, problem))

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
