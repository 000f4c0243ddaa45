"""A mail server for tests, on aiosmtpd: `smtp.py PORT MODE CERTIFICATE KEY FILE`.

MODE has words: starttls, implicit, plain; auth; busy (the first mail gets 451), refuse (550 to
every recipient), slow (each mail takes five seconds), forbid (550 to the sender). Each mail is a line
of JSON in FILE, with whether it came encrypted and signed in.
"""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

port, mode, certificate, key, file = int(sys.argv[1]), sys.argv[2].split(","), *sys.argv[3:6]


class Handler:
    busy = "busy" in mode

    async def handle_MAIL(self, server, session, envelope, address, options):
        if "forbid" in mode:
            return "550 5.7.1 this sender may not"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "refuse" in mode:
            return "550 5.1.1 nobody of that name lives here"
        if Handler.busy:
            Handler.busy = False
            return "451 4.3.0 in a moment"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "slow" in mode:
            await asyncio.sleep(5)
        with open(file, "a") as out:
            json.dump({
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "tls": session.ssl is not None or "implicit" in mode,
                "auth": session.authenticated,
                "peer": session.peer[1],
                "text": envelope.content.decode(),
            }, out)
            out.write("\n")
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == b"accounts" and data.password == b"password-of-the-mail-server"
    return AuthResult(success=right, handled=False, message=None if right else "535 5.7.8 no")


async def main():
    context = None
    if "plain" not in mode:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    options = {"enable_SMTPUTF8": False, "hostname": "mail.example.org"}
    if "starttls" in mode:
        options |= {"tls_context": context, "require_starttls": True}
    if "auth" in mode:
        options |= {"authenticator": authenticate, "auth_required": True}
        options["auth_require_tls"] = "starttls" in mode
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), **options), "127.0.0.1", port, ssl=context if "implicit" in mode else None)
    async with server:
        await server.serve_forever()


asyncio.run(main())
