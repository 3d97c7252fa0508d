"""Checks a widget's configuration against its JSON schema before it is stored.

Keywords that are looked at: type, enum, const, required, properties, additionalProperties (false or a schema), items,
minimum, maximum, minLength, maxLength, minItems, maxItems, anyOf, oneOf, allOf, and $ref into the same document.
Others are passed over: a configuration is never refused for a keyword that isn't known here.
"""

import json

from micropython import const

MAX_DEPTH = const(24)  # nesting of schemas that is followed, $ref included
MAX_CONFIG_BYTES = const(16 * 1024)


class SchemaError(Exception):
    """A configuration that is refused: the path of the first fault, and what is wrong there."""


def parse_object(text):
    """The JSON object in `text`; SchemaError if it is anything else."""
    if len(text) > MAX_CONFIG_BYTES:
        raise SchemaError("the configuration is longer than {} bytes".format(MAX_CONFIG_BYTES))
    try:
        value = json.loads(text)
    except ValueError:
        raise SchemaError("the configuration is not valid JSON")
    if not isinstance(value, dict):
        raise SchemaError("the configuration must be an object: {...}")
    return value


def parse(text):
    """A schema, or None where the widget has none that can be read."""
    try:
        schema = json.loads(text)
    except ValueError:
        return None
    return schema if isinstance(schema, dict) and schema else None


def check(value, schema):
    """SchemaError with the path of the first fault, or nothing."""
    _check(value, schema, schema, "", 0)


def _fault(path, text):
    raise SchemaError("{}: {}".format(path or "the configuration", text))


def _is(value, kind):
    if kind == "object":
        return isinstance(value, dict)
    if kind == "array":
        return isinstance(value, list)
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "null":
        return value is None
    if kind == "integer":
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            or isinstance(value, float)
            and value == int(value)
        )
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return True


def _same(a, b):
    # 1 and True are different JSON values
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _resolve(schema, root, path):
    target = schema["$ref"]
    if not isinstance(target, str) or not target.startswith("#"):
        _fault(path, "the schema's $ref {!r} is not in the same document".format(target))
    found = root
    for part in target[1:].split("/"):
        if not part:
            continue
        part = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or part not in found:
            _fault(path, "the schema's $ref {!r} leads nowhere".format(target))
        found = found[part]
    return found


def _matches(value, schema, root, path, depth):
    try:
        _check(value, schema, root, path, depth)
        return True
    except SchemaError:
        return False


def _check(value, schema, root, path, depth):
    if schema is True or not isinstance(schema, (dict, bool)):
        return
    if schema is False:
        _fault(path, "not allowed")
    if depth > MAX_DEPTH:
        _fault(path, "the schema is nested too deeply")
    depth += 1
    if "$ref" in schema:
        _check(value, _resolve(schema, root, path), root, path, depth)
    kind = schema.get("type")
    if kind is not None:
        kinds = kind if isinstance(kind, list) else [kind]
        if not any(_is(value, k) for k in kinds):
            _fault(path, "must be " + " or ".join(str(k) for k in kinds))
    if "const" in schema and not _same(value, schema["const"]):
        _fault(path, "must be {}".format(json.dumps(schema["const"])))
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(_same(value, a) for a in allowed):
        _fault(path, "must be one of " + ", ".join(json.dumps(a) for a in allowed))
    if isinstance(value, dict):
        _check_object(value, schema, root, path, depth)
    elif isinstance(value, list):
        _check_size(len(value), schema, "Items", "items", path)
        if "items" in schema and not isinstance(schema["items"], list):
            for i, item in enumerate(value):
                _check(item, schema["items"], root, "{}[{}]".format(path, i), depth)
    elif isinstance(value, str):
        _check_size(len(value), schema, "Length", "characters", path)
    elif _is(value, "number"):
        low, high = schema.get("minimum"), schema.get("maximum")
        if _is(low, "number") and value < low:
            _fault(path, "must be at least {}".format(low))
        if _is(high, "number") and value > high:
            _fault(path, "must be at most {}".format(high))
    for part in schema.get("allOf", ()):
        _check(value, part, root, path, depth)
    if "anyOf" in schema:
        if not any(_matches(value, part, root, path, depth) for part in schema["anyOf"]):
            _fault(path, "fits none of the allowed forms")
    if "oneOf" in schema:
        if sum(1 for part in schema["oneOf"] if _matches(value, part, root, path, depth)) != 1:
            _fault(path, "must fit exactly one of the allowed forms")


def _check_size(size, schema, suffix, unit, path):
    low, high = schema.get("min" + suffix), schema.get("max" + suffix)
    if isinstance(low, int) and size < low:
        _fault(path, "must have at least {} {}".format(low, unit))
    if isinstance(high, int) and size > high:
        _fault(path, "must have at most {} {}".format(high, unit))


def _check_object(value, schema, root, path, depth):
    dot = path + "." if path else ""
    for key in schema.get("required", ()):
        if key not in value:
            _fault(dot + key, "missing")
    properties = schema.get("properties", {})
    for key in value:
        if key in properties:
            _check(value[key], properties[key], root, dot + key, depth)
        elif "additionalProperties" in schema:
            more = schema["additionalProperties"]
            if more is False:
                known = ", ".join(properties)
                _fault(dot + key, "unknown" + ("; known: " + known if known else ""))
            _check(value[key], more, root, dot + key, depth)
