# Reads [[schema, [value...]]...] and prints for each [what is not checked, [the first fault or null of each value]].
import json
import sys

from wgdisplay.storage.schema import SchemaError, check, unchecked


def fault(schema, value):
    try:
        check(value, schema)
    except SchemaError as error:
        return str(error)
    return None


print(
    json.dumps(
        [
            [unchecked(schema), [fault(schema, value) for value in values]]
            for schema, values in json.loads(sys.stdin.readline())
        ]
    )
)
