#!/usr/bin/env python3
"""A GSM modem on a pseudo-terminal, or on a TCP port, with a SIM and a network behind it.

    modem.py DEVICE CONTROL LOG [OPTIONS]

DEVICE is the path of a symbolic link to be made to the pseudo-terminal, or "tcp:PORT". CONTROL is a port on 127.0.0.1.
LOG gets a JSON object a line for everything that happens, with a member "event". OPTIONS is a JSON object with some of the
members of STATE. "ready" is printed when the modem is there.

Written from 3GPP TS 27.005 (PDU mode), TS 27.007 and ITU-T V.250; what it reads of a TPDU is in TS 23.040 9.2.2.2.

The control port takes a command a line and answers "ok" or "error: ..." to each:

    mt HEX            the network delivers this: the centre's address and an SMS-DELIVER
    err N             the next +CMGS fails with +CMS ERROR: N; "err none" takes that back
    lose on|off       whether messages are sent, but their answers get lost
    late              the next answer to a message waits for "release"
    release           what waits is said
    mute | unmute     the modem does as it is told and says nothing
    dead | alive      the modem does nothing and says nothing
    say HEX           these octets on the line
    report on|off|hold  whether status reports come at once, never, or wait for "release"
    status HEX        TP-ST of the status reports to come
    reg N | csq N | operator NAME
    pin PIN           the SIM wants this PIN; "pin none" unlocks it
    redeliver         the network tries again what was not acknowledged
    unplug | plug     the device goes away, and comes back
    restart           the modem starts anew without that
    set NAME JSON     any other member of STATE
"""

import json
import os
import pty
import re
import selectors
import socket
import sys
import time
import tty

STATE = {
    "pin": None,  # the PIN the SIM wants
    "pin_tries": 3,
    "pin_tries_known": True,  # whether +CPINR is there
    "sim_busy": 0,  # so many commands after the PIN find the SIM busy
    "reg": 1,
    "csq": 22,
    "operator": "Testnet",
    "phase": 1,  # whether +CSMS=1 is offered
    "cnmi_offers": "(0-2),(0-3),(0,2,3),(0-2),(0,1)",
    "own_reference": True,  # the modem puts its own TP-MR in
    "capacity": 20,
    "undeletable": [],  # places of memories that +CMGD cannot empty
    "report": "on",
    "status": "00",
    "pdu_mode": True,  # whether +CMGF=0 is offered
}
for name, value in json.loads(sys.argv[4] if len(sys.argv) > 4 else "{}").items():
    if name not in STATE:
        sys.exit(f"there is no {name}")
    STATE[name] = value

DEVICE, CONTROL, LOG = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "a", buffering=1)
CTRL_Z, ESCAPE = 0x1A, 0x1B


def log(event, **more):
    LOG.write(json.dumps({"event": event, "at": round(time.time(), 3), **more}) + "\n")


def swapped(text):
    """Digits two to an octet with the halves exchanged, filled up with F."""
    text += "F" * (len(text) % 2)
    return "".join(text[at + 1] + text[at] for at in range(0, len(text), 2))


def now():
    return swapped(time.strftime("%y%m%d%H%M%S", time.gmtime())) + "00"


class Bad(Exception):
    """A final result other than OK."""


class Modem:
    def __init__(self, line):
        self.line = line
        self.listed, self.stored = {}, {"SM": {}, "ME": {}, "SR": {}}
        self.waiting = []  # deliveries and reports that the network still has: (kind, pdu)
        self.unacknowledged = None
        self.held = []  # what "release" says
        self.seen = set()  # (reference, destination) of what the centre got
        self.mr, self.failing, self.late = 0, None, False
        self.muted = self.deaf = self.losing = False
        self.tries = STATE["pin_tries"]
        self.locked = STATE["pin"] is not None
        self.reset()

    def reset(self):
        self.echo, self.cmee, self.cmgf, self.csms = True, 0, 1, 0
        self.cnmi, self.memory, self.pending = [0, 0, 0, 0, 0], "SM", None
        self.centre, self.characters = '"+358401000000",145', "GSM"
        self.buffer, self.places = b"", {}

    # The line

    def write(self, octets):
        if not self.muted:
            self.line.write(octets)

    def say(self, text):
        self.write(f"\r\n{text}\r\n".encode())

    def feed(self, octets):
        if self.deaf:
            return
        for octet in octets:
            if self.pending:
                if octet == CTRL_Z:
                    text, self.buffer = self.buffer.decode("latin-1"), b""
                    self.finish(text)
                elif octet == ESCAPE:
                    log("escaped", kind=self.pending[0])
                    self.buffer, self.pending = b"", None
                    self.say("OK")
                else:
                    self.buffer += bytes([octet])
                continue
            if self.echo:
                self.write(bytes([octet]))
            if octet == ESCAPE:
                self.buffer = b""
            elif octet in b"\r\n":
                text, self.buffer = self.buffer.decode("latin-1").strip(), b""
                if text:
                    self.command(text)
            elif octet >= 0x20:
                self.buffer += bytes([octet])

    def command(self, text):
        log("at", command=text)
        try:
            if not text.upper().startswith("AT"):
                raise Bad("ERROR")
            for part in filter(None, re.split(r";", text[2:])) if ";" in text else [text[2:]]:
                for answer in self.run(part) or []:
                    self.say(answer)
        except Bad as bad:
            result = str(bad)
            if result == "prompt":
                return self.write(b"\r\n> ")
            if result.startswith("+CME") and self.cmee == 0:
                result = "ERROR"
            return self.say(result)
        self.say("OK")

    # Commands: each returns its information lines

    def run(self, text):
        upper = text.upper()
        if upper in ("", "H", "&F") or re.fullmatch(r"[VQXSIML&][0-9=&DC]*", upper) and not upper.startswith("I"):
            return self.reset() if upper == "&F" else None
        if upper in ("Z", "Z0"):
            return self.reset()
        if match := re.fullmatch(r"E([01]?)(V1)?", upper):
            self.echo = match[1] == "1"
            return None
        if upper.startswith("I"):
            return ["Simulated modem"]
        match = re.fullmatch(r"\+([A-Z]+)(=\?|\?|=.*)?", text, re.IGNORECASE | re.DOTALL)
        handler = match and getattr(self, "do_" + match[1].upper(), None)
        if not handler:
            raise Bad("ERROR")
        rest = match[2] or ""
        return handler("test" if rest == "=?" else "read" if rest == "?" else "set" if rest else "run", rest[1:])

    def sim(self, family="CMS"):
        """What needs the SIM asks here."""
        if self.locked:
            puk = self.tries == 0
            raise Bad("+CMS ERROR: " + ("316" if puk else "311") if family == "CMS" else "+CME ERROR: " + ("12" if puk else "11"))
        if STATE["sim_busy"]:
            STATE["sim_busy"] -= 1
            raise Bad("+CMS ERROR: 314" if family == "CMS" else "+CME ERROR: 14")

    def do_CGMI(self, how, value):
        return [] if how == "test" else ["Packetboat"]

    def do_CGMM(self, how, value):
        return [] if how == "test" else ["Simulator"]

    def do_CGMR(self, how, value):
        return [] if how == "test" else ["1.0"]

    def do_CGSN(self, how, value):
        return [] if how == "test" else ["356938035643809"]

    def do_CIMI(self, how, value):
        self.sim("CME")
        return ["244071234567890"]

    def do_CMEE(self, how, value):
        if how == "set":
            self.cmee = int(value)
        return {"test": ["+CMEE: (0,1)"], "read": [f"+CMEE: {self.cmee}"]}.get(how)

    def do_CSCS(self, how, value):
        if how == "set":
            self.characters = value.strip('"')
        return {"test": ['+CSCS: ("GSM","UCS2","HEX")'], "read": [f'+CSCS: "{self.characters}"']}.get(how)

    def do_CFUN(self, how, value):
        return ["+CFUN: 1"] if how == "read" else None

    def do_CPIN(self, how, value):
        if how == "read":
            state = "READY" if not self.locked else "SIM PIN" if self.tries else "SIM PUK"
            return [f"+CPIN: {state}"]
        if how == "set":
            tried = value.strip().strip('"')
            right = tried == STATE["pin"]
            log("pin", right=right)
            if not self.locked or self.tries == 0:
                raise Bad("+CME ERROR: 3")
            if not right:
                self.tries -= 1
                raise Bad("+CME ERROR: 16")
            self.locked, self.tries = False, STATE["pin_tries"]
        return None

    def do_CPINR(self, how, value):
        if not STATE["pin_tries_known"]:
            raise Bad("ERROR")
        return [f"+CPINR: SIM PIN,{self.tries},3"]

    def registration(self, name, how, value):
        if how == "set":
            self.places[name] = int(value)
        if how == "read":
            mode = self.places.get(name, 0)
            return [f"+{name}: {mode},{STATE['reg']}" + (',"00C3","0019A4"' if mode == 2 else "")]
        return [f"+{name}: (0-2)"] if how == "test" else None

    def do_CREG(self, how, value):
        return self.registration("CREG", how, value)

    def do_CGREG(self, how, value):
        return self.registration("CGREG", how, value)

    def do_COPS(self, how, value):
        if how == "read":
            registered = STATE["reg"] in (1, 5)
            return [f"+COPS: 0,0,\"{STATE['operator']}\",2" if registered else "+COPS: 0"]
        return None

    def do_CSQ(self, how, value):
        return ["+CSQ: (0-31,99),(0-7,99)"] if how == "test" else [f"+CSQ: {STATE['csq']},99"]

    def do_CSCA(self, how, value):
        self.sim()
        if how == "set":
            self.centre = value
            log("centre", number=value)
        return [f"+CSCA: {self.centre}"] if how == "read" else None

    def do_CSMP(self, how, value):
        return ["+CSMP: 17,167,0,0"] if how == "read" else None

    def do_CSMS(self, how, value):
        if how == "test":
            return ["+CSMS: (0,1)" if STATE["phase"] else "+CSMS: 0"]
        if how == "set":
            if value == "1" and not STATE["phase"]:
                raise Bad("+CMS ERROR: 303")
            self.csms = int(value)
            return ["+CSMS: 1,1,1"]
        return [f"+CSMS: {self.csms},1,1,1"]

    def do_CMGF(self, how, value):
        offers = (0, 1) if STATE["pdu_mode"] else (1,)
        if how == "set":
            if int(value) not in offers:
                raise Bad("+CMS ERROR: 303")
            self.cmgf = int(value)
        return {"test": [f"+CMGF: ({','.join(map(str, offers))})"], "read": [f"+CMGF: {self.cmgf}"]}.get(how)

    def do_CMMS(self, how, value):
        return None

    def do_CNMI(self, how, value):
        if how == "test":
            return ["+CNMI: " + STATE["cnmi_offers"]]
        if how == "read":
            return ["+CNMI: " + ",".join(map(str, self.cnmi))]
        self.sim()
        values = [int(part) for part in value.split(",")]
        self.cnmi = values + self.cnmi[len(values):]
        self.unacknowledged = None
        self.deliver()
        return None

    def do_CPMS(self, how, value):
        self.sim()
        if how == "test":
            return ['+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")']
        if how == "set":
            memory = value.split(",")[0].strip('"')
            if memory not in self.stored:
                raise Bad("+CMS ERROR: 302")
            self.memory = memory
        used = len(self.stored[self.memory])
        plain = f"{used},{STATE['capacity']}"
        if how == "set":
            return [f"+CPMS: {plain},{plain},{plain}"]
        named = f'"{self.memory}",{plain}'
        return [f"+CPMS: {named},{named},{named}"]

    def lengthy(self, pdu):
        """Octets of the TPDU, without the centre's address."""
        return len(pdu) // 2 - 1 - int(pdu[:2], 16)

    def do_CMGL(self, how, value):
        self.sim()
        if how == "test":
            return ["+CMGL: (0-4)"]
        wanted = int(value or 0)
        lines = []
        for index, (status, pdu) in sorted(self.stored[self.memory].items()):
            if wanted in (status, 4):
                lines.append(f"+CMGL: {index},{status},,{self.lengthy(pdu)}\r\n{pdu}")
                self.stored[self.memory][index] = (max(status, 1), pdu)
        return lines

    def do_CMGR(self, how, value):
        self.sim()
        found = self.stored[self.memory].get(int(value))
        if not found:
            raise Bad("+CMS ERROR: 321")
        status, pdu = found
        self.stored[self.memory][int(value)] = (1, pdu)
        return [f"+CMGR: {status},,{self.lengthy(pdu)}\r\n{pdu}"]

    def do_CMGD(self, how, value):
        self.sim()
        if how == "test":
            return ["+CMGD: (0-20),(0-4)"]
        index = int(value.split(",")[0])
        if index in STATE["undeletable"]:
            log("not deleted", memory=self.memory, index=index)
            raise Bad("+CMS ERROR: 320")
        if self.stored[self.memory].pop(index, None) is None:
            raise Bad("+CMS ERROR: 321")
        log("deleted", memory=self.memory, index=index)
        return None

    def do_CNMA(self, how, value):
        if how == "test":
            return ["+CNMA: (0-2)"]
        if self.csms != 1 or self.unacknowledged is None:
            raise Bad("+CMS ERROR: 340")
        parts = value.split(",")
        if parts[0] == "2" and len(parts) > 1:
            self.pending = ("CNMA", int(parts[1]))
            raise Bad("prompt")
        self.acknowledge(True)
        return None

    def do_CMGS(self, how, value):
        if how == "test":
            return []
        self.sim()
        self.pending = ("CMGS", value)
        raise Bad("prompt")

    # Messages out

    def finish(self, text):
        (kind, value), self.pending = self.pending, None
        if self.echo:
            self.write(text.encode("latin-1"))
        if kind == "CNMA":
            log("refused", report=text.strip().upper())
            self.acknowledge(False)
            return self.say("OK")
        if self.cmgf == 1:
            log("text", to=value, text=text)
            return self.sent(None)
        try:
            self.submit(text.strip(), int(value.split(",")[0]))
        except (ValueError, IndexError) as error:
            log("unreadable", pdu=text, why=repr(error))
            self.say("+CMS ERROR: 304")
        except Bad as bad:
            log("failed", answer=str(bad))
            self.say(str(bad))

    def submit(self, text, length):
        octets = bytes.fromhex(text)
        tpdu = octets[1 + octets[0]:]
        if len(tpdu) != length or tpdu[0] & 3 != 1:
            raise ValueError(f"{len(tpdu)} octets, {length} were announced")
        if self.failing:
            failing, self.failing = self.failing, None
            raise Bad(f"+CMS ERROR: {failing}")
        if STATE["reg"] not in (1, 5):
            raise Bad("+CMS ERROR: 331")
        first, given, digits = tpdu[0], tpdu[1], tpdu[2]
        address = tpdu[2:4 + (digits + 1) // 2].hex().upper()
        self.mr = (self.mr + 1) % 256 if STATE["own_reference"] else given
        if first & 0x04 and (self.mr, address) in self.seen:
            log("duplicate", reference=given, destination=address)
            raise Bad("+CMS ERROR: 197")
        self.seen.add((self.mr, address))
        log("submit", tpdu=tpdu.hex(), given=given, reference=self.mr, centre=octets[:1 + octets[0]].hex())
        if first & 0x20 and STATE["report"] != "off":
            report = f"0006{self.mr:02X}{address}{now()}{now()}{STATE['status']}"
            if STATE["report"] == "hold":
                self.held.append(lambda: self.arrive("report", report))
            else:
                self.waiting.append(("report", report))
        self.sent(self.mr)

    def sent(self, reference):
        def answer():
            self.say(f"+CMGS: {0 if reference is None else reference}")
            self.say("OK")

        if self.losing:
            log("answer lost")
        elif self.late:
            self.late = False
            self.held.insert(0, answer)
        else:
            answer()
        self.deliver()

    # Messages in

    def arrive(self, kind, pdu):
        self.waiting.append((kind, pdu.upper()))
        self.deliver()

    def deliver(self):
        """Hands on what the network has, as +CNMI and +CSMS say."""
        while self.waiting and self.unacknowledged is None:
            kind, pdu = self.waiting[0]
            how = self.cnmi[1] if kind == "message" else self.cnmi[3]
            direct = how == (2 if kind == "message" else 1)
            if kind == "report" and how == 0:
                self.waiting.pop(0)
                continue
            if direct and self.muted:
                return
            self.waiting.pop(0)
            if direct:
                name = "+CMT: ," if kind == "message" else "+CDS: "
                self.say(f"{name}{self.lengthy(pdu)}\r\n{pdu}")
                log("handed over", kind=kind)
                if self.csms == 1:
                    self.unacknowledged = (kind, pdu)
                continue
            memory = self.memory if kind == "message" and self.memory != "SR" else "SM" if kind == "message" else "SR"
            index = next(place for place in range(1, 1000) if place not in self.stored[memory])
            self.stored[memory][index] = (0, pdu)
            log("stored", memory=memory, index=index)
            if how:
                self.say(f'+{"CMTI" if kind == "message" else "CDSI"}: "{memory}",{index}')

    def acknowledge(self, taken):
        kind, pdu = self.unacknowledged
        self.unacknowledged = None
        log("acknowledged", kind=kind, taken=taken)
        if not taken:
            self.held.append(lambda: self.arrive(kind, pdu))
        self.deliver()

    # The control port

    def control(self, text):
        name, _, value = text.partition(" ")
        if name == "mt":
            self.arrive("message", value)
        elif name == "err":
            self.failing = None if value == "none" else int(value)
        elif name == "lose":
            self.losing = value == "on"
        elif name == "late":
            self.late = True
        elif name in ("release", "redeliver"):
            held, self.held = self.held, []
            for say in held:
                say()
        elif name in ("mute", "unmute"):
            self.muted = name == "mute"
            self.deliver()
        elif name in ("dead", "alive"):
            self.deaf = name == "dead"
        elif name == "say":
            self.write(bytes.fromhex(value))
        elif name == "report":
            STATE["report"] = value
        elif name in ("status", "operator"):
            STATE[name] = value
        elif name in ("reg", "csq"):
            STATE[name] = int(value)
        elif name == "pin":
            STATE["pin"] = None if value == "none" else value
            self.locked, self.tries = STATE["pin"] is not None, STATE["pin_tries"]
        elif name == "restart":
            self.reset()
        elif name == "unplug":
            self.line.close()
        elif name == "plug":
            # A modem that was without power has forgotten its settings, not its SIM.
            self.locked = STATE["pin"] is not None
            self.reset()
            self.line.open()
        elif name == "set":
            key, _, literal = value.partition(" ")
            STATE[key] = json.loads(literal)
        else:
            raise ValueError(f"no {name}")


class Terminal:
    """A pseudo-terminal behind a symbolic link."""

    def __init__(self, selector, path):
        self.selector, self.path, self.master = selector, path, None

    def open(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.master)
        tty.setraw(self.slave)
        self.selector.register(self.master, selectors.EVENT_READ, self.read)
        temporary = self.path + ".new"
        os.symlink(os.ttyname(self.slave), temporary)
        os.rename(temporary, self.path)

    def read(self):
        try:
            return os.read(self.master, 4096)
        except OSError:
            return b""

    def write(self, octets):
        if self.master is not None:
            os.write(self.master, octets)

    def close(self):
        os.unlink(self.path)
        self.selector.unregister(self.master)
        os.close(self.master)
        os.close(self.slave)
        self.master = None


class Network:
    """A TCP port with one client."""

    def __init__(self, selector, port):
        self.selector, self.port, self.client = selector, port, None

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def accept(self):
        self.hang_up()
        self.client, _ = self.listener.accept()
        self.selector.register(self.client, selectors.EVENT_READ, self.read)
        return b""

    def read(self):
        try:
            octets = self.client.recv(4096)
        except OSError:
            octets = b""
        if not octets:
            self.hang_up()
        return octets

    def write(self, octets):
        if self.client:
            self.client.sendall(octets)

    def hang_up(self):
        if self.client:
            self.selector.unregister(self.client)
            self.client.close()
            self.client = None

    def close(self):
        self.hang_up()
        self.selector.unregister(self.listener)
        self.listener.close()


def main():
    selector = selectors.DefaultSelector()
    line = Network(selector, int(DEVICE[4:])) if DEVICE.startswith("tcp:") else Terminal(selector, DEVICE)
    line.open()
    modem = Modem(line)
    server = socket.create_server(("127.0.0.1", CONTROL))

    def accept():
        client, _ = server.accept()
        stream = client.makefile("rw")

        def command():
            text = stream.readline()
            if not text:
                selector.unregister(client)
                client.close()
                return b""
            try:
                modem.control(text.strip())
                answer = "ok"
            except Exception as error:  # whatever it is, the story should read it
                answer = f"error: {error!r}"
            stream.write(answer + "\n")
            stream.flush()
            return b""

        selector.register(client, selectors.EVENT_READ, command)
        return b""

    selector.register(server, selectors.EVENT_READ, accept)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            modem.feed(key.data())


main()
