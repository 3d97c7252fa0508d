# Reads [[schema, value]...] and prints the first fault of each, or null.
import json
import sys

from wgdisplay.storage.schema import SchemaError, check


def fault(schema, value):
    try:
        check(value, schema)
    except SchemaError as error:
        return str(error)
    return None


print(json.dumps([fault(schema, value) for schema, value in json.loads(sys.stdin.readline())]))
