"""A mail server that does what a story wants, on aiosmtpd. Every event is one line of JSON on standard output.

mx.py PORT DIR OPTIONS, where OPTIONS is a JSON object; all members may be left out:
    tempfail      how many messages to answer with 451 before one is taken
    reject        a regular expression: recipients that match get reject_code (550)
    delay         seconds to wait before the answer to a message
    drop          the number of a message, from 1, at which the connection is cut instead of an answer
    size          the largest message, in bytes
    certificate, key    files in PEM: offers STARTTLS
    require_tls   refuses mail without TLS
    auth          "user:password": refuses mail without it
Messages are saved as DIR/NUMBER.eml, byte for byte.
"""
import asyncio
import json
import re
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

PORT, DIRECTORY, OPTIONS = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])


def say(event, **details):
    print(json.dumps({"event": event, **details}, ensure_ascii=False), flush=True)


class Script:
    def __init__(self):
        self.messages = 0
        self.tempfail = OPTIONS.get("tempfail") or 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        say("ehlo", host=hostname, tls=session.ssl is not None)
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        reject = OPTIONS.get("reject")
        if reject and re.search(reject, address):
            say("rejected", to=address)
            return "%d 5.1.1 no such user" % (OPTIONS.get("reject_code") or 550)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        self.messages += 1
        number = self.messages
        await asyncio.sleep(OPTIONS.get("delay") or 0)
        if number == OPTIONS.get("drop"):
            say("dropped", number=number)
            server.transport.abort()
            return "421 4.3.0 gone"
        if self.tempfail > 0:
            self.tempfail -= 1
            say("tempfailed", number=number)
            return "451 4.3.0 try later"
        path = "%s/%d.eml" % (DIRECTORY, number)
        with open(path, "wb") as file:
            file.write(envelope.original_content)
        say("message", number=number, file=path, sender=envelope.mail_from.strip("<>"), recipients=envelope.rcpt_tos,
            mail_options=envelope.mail_options, tls=session.ssl is not None, auth=bool(session.authenticated))
        return "250 2.0.0 taken as %d" % number


def authenticate(server, session, envelope, mechanism, credentials):
    user, password = OPTIONS["auth"].encode().split(b":", 1)
    good = isinstance(credentials, LoginPassword) and tuple(credentials) == (user, password)
    say("auth", mechanism=mechanism, good=good)
    return AuthResult(success=good, handled=False)


class Server(Controller):
    def factory(self):
        more = {}
        if OPTIONS.get("certificate"):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(OPTIONS["certificate"], OPTIONS["key"])
            more.update(tls_context=context, require_starttls=bool(OPTIONS.get("require_tls")))
        if OPTIONS.get("auth"):
            more.update(authenticator=authenticate, auth_required=True, auth_require_tls="certificate" in OPTIONS)
        return SMTP(self.handler, hostname="mx.test", enable_SMTPUTF8=True, data_size_limit=OPTIONS.get("size") or 1 << 25,
                    **more)


server = Server(Script(), hostname="127.0.0.1", port=PORT)
server.start()
say("ready")
# The story ends this program with a signal.
server._thread.join()
