"""The application that the demo monitors: a database stand-in, web servers that need it, and a front door to them.

It knows nothing of Detak. Each part is one process that a person may kill or freeze.
"""

import argparse
import http.client
import os
import socket
import socketserver
from abc import abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

HOST = "127.0.0.1"
DATABASE_PATIENCE_S = 0.8
SERVER_PATIENCE_S = 0.4


class Database(socketserver.StreamRequestHandler):
    """Answers every line with one row."""

    def handle(self) -> None:
        for _line in self.rfile:
            self.wfile.write(b"1 row\n")


class Answering(BaseHTTPRequestHandler):
    """A page of plain text, and no log of requests."""

    def do_GET(self) -> None:
        status, text = self.page()
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @abstractmethod
    def page(self) -> tuple[int, str]:
        """The status and the text to answer with."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """The agents ask every two seconds: a log of that would only grow."""


class Web(Answering):
    """One web server of the application: well as long as its database answers."""

    database_port: ClassVar[int]

    def page(self) -> tuple[int, str]:
        try:
            with socket.create_connection((HOST, self.database_port), timeout=DATABASE_PATIENCE_S) as connection:
                connection.sendall(b"select 1\n")
                row = connection.recv(64)
        except OSError as error:
            return 503, f"the database does not answer: {error}"
        return (200, "the application is well") if row else (503, "the database hung up")


class Front(Answering):
    """The front door that users come through: the first web server that is well answers."""

    servers: ClassVar[list[int]]

    def page(self) -> tuple[int, str]:
        ports = self.servers
        for port in ports:
            try:
                connection = http.client.HTTPConnection(HOST, port, timeout=SERVER_PATIENCE_S)
                connection.request("GET", "/")
                answer = connection.getresponse()
                text = answer.read(1_000).decode().strip()
                connection.close()
            except (OSError, http.client.HTTPException):
                continue
            if answer.status == http.HTTPStatus.OK:
                Front.servers = [port, *(other for other in ports if other != port)]
                return 200, text
        return 503, "no server of the application is well"


class Server(ThreadingHTTPServer):
    """An HTTP server that a restarted process can put on the same port again at once."""

    daemon_threads = True
    allow_reuse_address = True


class DatabaseServer(socketserver.ThreadingTCPServer):
    """The same for the database stand-in."""

    daemon_threads = True
    allow_reuse_address = True


def main() -> None:
    """Run one part until it is ended."""
    parser = argparse.ArgumentParser(description="One process of the demo's application.")
    parser.add_argument("part", choices=["database", "web", "front"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid-file", type=Path, required=True)
    parser.add_argument("--behind", type=int, nargs="*", default=[], help="ports of what this part needs")
    options = parser.parse_args()
    options.pid_file.write_text(f"{os.getpid()}\n")
    address = (HOST, options.port)
    server: socketserver.BaseServer
    if options.part == "database":
        server = DatabaseServer(address, Database)
    elif options.part == "web":
        Web.database_port = options.behind[0]
        server = Server(address, Web)
    else:
        Front.servers = list(options.behind)
        server = Server(address, Front)
    with server:
        server.serve_forever()


if __name__ == "__main__":
    main()
