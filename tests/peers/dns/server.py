"""A name server with one zone, on dnslib: UDP and TCP on loopback. Every query is one line of JSON on standard output.

server.py PORT ZONE, where the file ZONE is in zone-file form, and lines that start with `; @` are orders:
    ; @servfail NAME    answers SERVFAIL
    ; @timeout NAME     never answers
"""
import json
import sys
import threading

from dnslib import QTYPE, RCODE, RR
from dnslib.server import BaseResolver, DNSLogger, DNSServer

PORT, TEXT = int(sys.argv[1]), open(sys.argv[2], encoding="ascii").read()


def bare(name):
    return str(name).rstrip(".").lower()


class Zone(BaseResolver):
    def __init__(self):
        self.records = RR.fromZone(TEXT)
        orders = [line.split() for line in TEXT.splitlines() if line.startswith("; @")]
        self.orders = {bare(name): order for _, order, name in orders}

    def resolve(self, request, handler):
        name, kind = bare(request.q.qname), request.q.qtype
        print(json.dumps({"name": name, "type": QTYPE[kind], "protocol": handler.protocol}), flush=True)
        reply = request.reply()
        order = self.orders.get(name)
        if order == "@timeout":
            threading.Event().wait()
        if order == "@servfail":
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        mine = [record for record in self.records if bare(record.rname) == name]
        for record in mine:
            if kind in (record.rtype, QTYPE.ANY):
                reply.add_answer(record)
        if not mine:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


silent = DNSLogger(log="-request,-reply,-truncated,-error", prefix=False)
for tcp in (False, True):
    DNSServer(Zone(), address="127.0.0.1", port=PORT, tcp=tcp, logger=silent).start_thread()
print(json.dumps({"ready": True}), flush=True)
# The story ends this program with a signal.
threading.Event().wait()
