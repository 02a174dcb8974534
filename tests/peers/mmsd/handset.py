#!/usr/bin/python3
"""Drives mmsd-tng over its D-Bus interface and prints JSON.

handset.py BUS list            every message with its attachments
handset.py BUS send FILE       FILE is JSON: {"to": [...], "subject": ..., "smil": ..., "parts": [[id, type, path], ...]}
handset.py BUS delete PATH     forgets a message
"""
import json
import sys

import dbus

NAME, SERVICE = "org.ofono.mms", "/org/ofono/mms/modemmanager"


def plain(value):
    """A D-Bus value as the JSON value it looks like."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return str(value)


def service(bus):
    return dbus.Interface(bus.get_object(NAME, SERVICE), NAME + ".Service")


def list_messages(bus):
    found = []
    for path, properties in plain(service(bus).GetMessages()):
        names = ("id", "type", "file", "offset", "size")
        attachments = [dict(zip(names, attachment)) for attachment in properties.pop("Attachments", [])]
        found.append({"path": path, "attachments": attachments, "properties": properties})
    return found


def send(bus, file):
    order = json.load(open(file, encoding="utf-8"))
    options = {name: order[key] for key, name in (("subject", "Subject"), ("smil", "smil")) if order.get(key)}
    # An empty dictionary has no signature that mmsd would take, an empty string has.
    options = dbus.Dictionary(options, signature="sv") if options else dbus.String("")
    parts = dbus.Array([tuple(part) for part in order["parts"]], signature="(sss)")
    return service(bus).SendMessage(dbus.Array(order["to"], signature="s"), options, parts)


def delete(bus, path):
    dbus.Interface(bus.get_object(NAME, path), NAME + ".Message").Delete()


if __name__ == "__main__":
    verb = {"list": list_messages, "send": send, "delete": delete}[sys.argv[2]]
    print(json.dumps(plain(verb(dbus.bus.BusConnection(sys.argv[1]), *sys.argv[3:])), ensure_ascii=False))
