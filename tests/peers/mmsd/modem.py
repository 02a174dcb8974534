#!/usr/bin/python3
"""The modem under mmsd-tng: ModemManager as python3-dbusmock plays it, on a bus of its own.

modem.py BUS serve NUMBER    one connected modem with a SIM and a bearer, until killed; prints "ready"
modem.py BUS receive FILE    a short message with a WSP push PDU arrives (the user data header already removed)

The bus address is also in DBUS_SYSTEM_BUS_ADDRESS and DBUS_SESSION_BUS_ADDRESS, where dbusmock looks.
"""
import subprocess
import sys
import time

import dbus

NAME = "org.freedesktop.ModemManager1"
ROOT = "/org/freedesktop/ModemManager1"
MOCK = "org.freedesktop.DBus.Mock"
MODEM, SIM, BEARER = ROOT + "/Modem/0", ROOT + "/SIM/0", ROOT + "/Bearer/0"
MESSAGING = NAME + ".Modem.Messaging"

uint, text_list = dbus.UInt32, lambda *items: dbus.Array(items, signature="s")


def properties(**values):
    return dbus.Dictionary(values, signature="sv")


def methods(*rows):
    """Rows of name, input signature, output signature, Python code."""
    return dbus.Array(rows, signature="(ssss)")


def mock(bus, path):
    return dbus.Interface(bus.get_object(NAME, path), MOCK)


def build(bus, number):
    """Registers the objects that mmsd asks for, with as few properties as it will take."""
    manager = mock(bus, ROOT)
    manager.AddMethod(NAME, "ScanDevices", "", "", "")
    manager.AddObject(
        SIM,
        NAME + ".Sim",
        properties(SimIdentifier="8944000000000000001", Imsi="234990000000001", OperatorIdentifier="23499",
                   OperatorName="Test", Active=True),
        methods())
    address = properties(method=uint(2), address="127.0.0.1", prefix=uint(8), gateway="127.0.0.1", dns1="127.0.0.1")
    manager.AddObject(
        BEARER,
        NAME + ".Bearer",
        properties(Interface="lo", Connected=True, Suspended=False, IpTimeout=uint(20), BearerType=uint(1),
                   Ip4Config=address, Ip6Config=properties(method=uint(0)), Stats=properties(),
                   Properties=dbus.Dictionary({"apn": "mms", "ip-type": uint(1)}, signature="sv")),
        methods())
    manager.AddObject(
        MODEM,
        NAME + ".Modem",
        properties(Sim=dbus.ObjectPath(SIM), SimSlots=dbus.Array([], signature="o"), PrimarySimSlot=uint(0),
                   Bearers=dbus.Array([dbus.ObjectPath(BEARER)], signature="o"),
                   SupportedCapabilities=dbus.Array([uint(4)], signature="u"), CurrentCapabilities=uint(4),
                   MaxBearers=uint(1), MaxActiveBearers=uint(1), Manufacturer="mock", Model="mock", Revision="1",
                   DeviceIdentifier="mock", Device="/sys/devices/mock", Drivers=text_list("mock"), Plugin="mock",
                   PrimaryPort="tty0", EquipmentIdentifier="356938035643809", UnlockRequired=uint(1),
                   State=dbus.Int32(11), StateFailedReason=uint(0), AccessTechnologies=uint(1 << 14),
                   SignalQuality=dbus.Struct((uint(80), True), signature="ub"), OwnNumbers=text_list(number),
                   PowerState=uint(3)),
        methods(("ListBearers", "", "ao", "ret = [%r]" % BEARER)))
    modem = mock(bus, MODEM)
    modem.AddProperties(NAME + ".Modem.Modem3gpp", properties(
        Imei="356938035643809", RegistrationState=uint(1), OperatorCode="23499", OperatorName="Test"))
    modem.AddProperties(MESSAGING, properties(
        Messages=dbus.Array([], signature="o"), SupportedStorages=dbus.Array([uint(2)], signature="u"),
        DefaultStorage=uint(2)))
    stored = "self.Get(%r, 'Messages')" % MESSAGING
    # The mock evaluates this where a comprehension would not see its arguments.
    others = "dbus.Array(list(filter(args[0].__ne__, %s)), signature='o')" % stored
    modem.AddMethod(MESSAGING, "List", "", "ao", "ret = " + stored)
    modem.AddMethod(MESSAGING, "Delete", "o", "", "self.UpdateProperties(%r, {'Messages': %s})" % (MESSAGING, others))
    modem.AddMethod(MESSAGING, "Create", "a{sv}", "o", "ret = dbus.ObjectPath('/')")


def serve(bus, number):
    daemon = subprocess.Popen([sys.executable, "-m", "dbusmock", "--session", "-m", NAME, ROOT, NAME])
    while not bus.name_has_owner(NAME):
        if daemon.poll() is not None:
            sys.exit("dbusmock ended")
        time.sleep(0.02)
    build(bus, number)
    print("ready", flush=True)
    sys.exit(daemon.wait())


def receive(bus, file):
    octets = [dbus.Byte(octet) for octet in open(file, "rb").read()]
    message = dbus.ObjectPath("%s/SMS/%d" % (ROOT, time.monotonic_ns()))
    mock(bus, ROOT).AddObject(
        message,
        NAME + ".Sms",
        properties(State=uint(3), PduType=uint(1), Number="+44100", Text="", Data=dbus.Array(octets, signature="y"),
                   SMSC="+44100", Timestamp="2026-11-22T12:00:00+00",
                   Validity=dbus.Struct((uint(0), uint(0)), signature="uv"), Class=dbus.Int32(1),
                   TeleserviceId=uint(0), ServiceCategory=uint(0), DeliveryReportRequest=False,
                   MessageReference=uint(0), DischargeTimestamp="", DeliveryState=uint(256), Storage=uint(2)),
        methods(("Send", "", "", ""), ("Store", "u", "", "")))
    modem = bus.get_object(NAME, MODEM)
    stored = list(dbus.Interface(modem, "org.freedesktop.DBus.Properties").Get(MESSAGING, "Messages"))
    control = dbus.Interface(modem, MOCK)
    control.UpdateProperties(MESSAGING, properties(Messages=dbus.Array(stored + [message], signature="o")))
    control.EmitSignal(MESSAGING, "Added", "ob", dbus.Array([message, dbus.Boolean(True)], signature="v"))


if __name__ == "__main__":
    {"serve": serve, "receive": receive}[sys.argv[2]](dbus.bus.BusConnection(sys.argv[1]), *sys.argv[3:])
