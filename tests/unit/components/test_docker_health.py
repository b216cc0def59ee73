"""How the health gate asks an app by HTTP, from this machine: nothing in its image is needed."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from components.targets.docker_health import Asked


@contextmanager
def answering(status):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/health"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "well"), [(200, True), (204, True), (302, True), (404, False), (503, False)])
def test_an_app_is_well_by_what_it_answers_and_no_redirect_is_followed(status, well):
    with answering(status) as address:
        said = Asked({"app": address}).answers("app")
    assert said == (None if well else f"{address} answers with status {status}")


def test_one_that_does_not_answer_is_not_well_and_one_that_is_not_asked_is():
    asked = Asked({"app": "http://127.0.0.1:1/health", "other": None})
    assert asked.answers("app") == "http://127.0.0.1:1/health does not answer (ConnectionError)"
    assert asked.answers("other") is None
    assert asked.answers("unknown") is None
