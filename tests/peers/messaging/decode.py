"""decode.py FILE...: what python-messaging makes of MMS PDUs, one JSON object a line.

{"headers": {name: text}, "parts": [{"content_type": ..., "headers": {...}, "size": ..., "sha256": ...}]}, or {"error": ...}.
"""
import hashlib
import json
import sys

from messaging.mms.message import MMSMessage


def octets(data):
    return data.encode("utf-8") if isinstance(data, str) else bytes(data)


def decode(path):
    message = MMSMessage.from_file(path)
    parts = []
    for part in message.data_parts:
        data = octets(part.data)
        parts.append({
            "content_type": part.content_type,
            "headers": {name: str(value) for name, value in part.headers.items()},
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        })
    return {"headers": {name: str(value) for name, value in message.headers.items()}, "parts": parts}


for path in sys.argv[1:]:
    try:
        decoded = decode(path)
    except Exception as error:  # a decoder of somebody else's: whatever it raises is its answer
        decoded = {"error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(decoded))
