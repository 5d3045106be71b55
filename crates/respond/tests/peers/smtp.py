"""An SMTP server for tests: aiosmtpd, with a certificate made by trustme.

    smtp.py MODE FOLDER FAIL

MODE is plain, starttls, implicit or account (STARTTLS and a log-on as yagura / swordfish). The
authority goes to FOLDER/ca.pem. The first FAIL messages are taken and answered with 451, and so are
all while there is a FOLDER/refuse. While there is a FOLDER/hold no message is answered. It prints
its port, then one line of JSON for each message that came.
"""
import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

MODE, FOLDER, FAIL = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])


class Handler:
    left = FAIL

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 no such mailbox"
        if address.startswith("full"):
            return "452 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        refuse, Handler.left = Handler.left > 0, Handler.left - 1
        refuse = refuse or (FOLDER / "refuse").exists()
        parts = [part for part in message.walk() if not part.is_multipart()]
        print(json.dumps({
            "refused": refuse,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "account": bool(session.authenticated),
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "parts": [[p["content-language"], p.get_content_type(), p.get_content()]
                      for p in parts],
        }), flush=True)
        while (FOLDER / "hold").exists():
            await asyncio.sleep(0.05)
        return "451 try again" if refuse else "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"yagura", b"swordfish")
    return AuthResult(success=good, handled=False)


async def main():
    authority = trustme.CA()
    authority.cert_pem.write_to_path(FOLDER / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    starttls = MODE in ("starttls", "account")
    options = {"tls_context": context, "require_starttls": True} if starttls else {}
    if MODE == "account":
        options |= {"authenticator": authenticate, "auth_required": True}
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), hostname="peer.example.org", **options),
        "127.0.0.1", 0, ssl=context if MODE == "implicit" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
