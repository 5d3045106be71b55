"""A receiver of webhooks over HTTPS for tests, of the standard library alone.

    hook.py CERTIFICATE KEY SECRET

The three are files. It prints its port, then one line of JSON for each request that came through
TLS: id, body, and whether the signature is good as the documentation tells receivers to see.
"""
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import sys

SECRET = pathlib.Path(sys.argv[3]).read_bytes().strip()


def verify(headers, body):
    signed = headers["yagura-timestamp"].encode() + b"." + body
    made = hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest("v1=" + made, headers["yagura-signature"])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        print(json.dumps({
            "id": self.headers["yagura-notification-id"],
            "tls": self.connection.version(),
            "verified": verify(self.headers, body),
            "body": json.loads(body),
        }), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        """Peers that do not trust the certificate hang up."""


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = Server(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
