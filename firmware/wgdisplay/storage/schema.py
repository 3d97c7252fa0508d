"""Checks a widget's configuration against its JSON schema before it is stored.

Known are all keywords of drafts 4, 6, 7, 2019-09 and 2020-12 that can make a value invalid, but those of UNKNOWN and
references that leave the document, and OpenAPI's `nullable`. `format` is looked at for the whole numbers that schemars
writes (uint8, int32...); other formats are remarks. `unchecked()` says what of a schema is not looked at: a
configuration is never refused for that.

A schema is a widget's and may be hostile: depth and work are bounded, and a malformed keyword counts as not known.
"""

import json

from micropython import const

from .pattern import Pattern, PatternError

MAX_DEPTH = const(24)  # nesting of schemas that is followed, $ref included
MAX_STEPS = const(20_000)  # of one check: schemas looked at, values compared, positions of patterns
MAX_CONFIG_BYTES = const(16 * 1024)
MAX_NODES = const(4000)  # values of a schema that are looked through for names and for what is not checked
SHOWN_VALUES = const(12)  # of an enum in a message

#: Keywords that can make a value invalid and are not looked at.
UNKNOWN = (
    "$dynamicRef",
    "$recursiveRef",
    "divisibleBy",
    "extends",
    "disallow",
)

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_INTEGER_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
_OLD = ("draft-03", "draft-04", "draft-05", "draft-06", "draft-07")  # $ref makes what stands beside it void

# Where a schema has schemas: one, a list of them, a dict of them.
_ONE = (
    "not",
    "if",
    "then",
    "else",
    "items",
    "additionalItems",
    "contains",
    "propertyNames",
    "additionalProperties",
)
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_NAMED = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")


class SchemaError(Exception):
    """A configuration that is refused: the path of the first fault, and what is wrong there."""


def parse_object(text):
    """The JSON object in `text`; SchemaError if it is anything else."""
    if len(text) > MAX_CONFIG_BYTES:
        raise SchemaError("the configuration is longer than {} bytes".format(MAX_CONFIG_BYTES))
    try:
        value = json.loads(text)
    except (ValueError, RuntimeError):
        raise SchemaError("the configuration is not valid JSON")
    if not isinstance(value, dict):
        raise SchemaError("the configuration must be an object: {...}")
    return value


def parse(text):
    """A schema, or None where the widget has none that can be read."""
    try:
        schema = json.loads(text)
    except (ValueError, RuntimeError):
        return None
    return schema if isinstance(schema, dict) and schema else None


def check(value, schema):
    """SchemaError with the path of the first fault, or nothing."""
    checker = Checker(schema)
    try:
        checker.check(value, schema)
    except RuntimeError:  # of recursion: this thread's stack is small
        raise SchemaError("the schema is nested too deeply")


def unchecked(schema):
    """What of a schema is not looked at: a list of sentences' parts, such as `zone: format "date"`."""
    checker = Checker(schema)
    found = []
    stack = [("", schema)]
    count = 0
    while stack:
        path, part = stack.pop()
        count += 1
        if count > MAX_NODES:
            found.append("the schema is too large to be looked through")
            break
        if not isinstance(part, dict):
            continue
        for said in checker.unknown_in(part):
            if path:
                said = path + ": " + said
            if said not in found:
                found.append(said)
        for key in _ONE:
            if isinstance(part.get(key), dict):
                stack.append((path + "[]" if "tems" in key or key == "contains" else path, part[key]))
        for key in _MANY:
            if isinstance(part.get(key), list):
                for one in part[key]:
                    stack.append((path + "[]" if "tems" in key else path, one))
        for key in _NAMED:
            if isinstance(part.get(key), dict):
                for name in part[key]:
                    inside = (path + "." if path else "") + name if key == "properties" else path
                    stack.append((inside, part[key][name]))
    found.sort()
    return found


def is_kind(value, kind):
    """Whether a value is of one of JSON schema's types; 1.0 is an integer."""
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
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int) or isinstance(value, float) and _is_whole(value)
    return kind == "number" and isinstance(value, (int, float))


def _is_whole(number):
    try:
        return number == int(number)
    except (OverflowError, ValueError):  # infinite
        return False


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value):
    return is_kind(value, "integer") and value >= 0


def _fault(path, text):
    raise SchemaError("{}: {}".format(path or "the configuration", text))


def _listed(values):
    shown = ", ".join([json.dumps(value) for value in values[:SHOWN_VALUES]])
    return shown + (", ..." if len(values) > SHOWN_VALUES else "")


class Checker:
    """One schema with its definitions; each `check()` has the same bound of steps together."""

    def __init__(self, schema):
        self.root = schema
        self._steps = 0
        self._patterns = {}
        self._anchors = None
        self._unsure = None
        draft = schema.get("$schema") if isinstance(schema, dict) else None
        self._contains_counts = not isinstance(draft, str) or "2019-09" not in draft
        self._old = isinstance(draft, str) and any(old in draft for old in _OLD)

    def step(self, n=1):
        self._steps += n
        if self._steps > MAX_STEPS:
            raise SchemaError("the schema takes too long to check")

    # ---- references and patterns ----

    def resolve(self, target):
        """What a $ref names, or None if it leads out of the document or nowhere."""
        if not isinstance(target, str) or not target.startswith("#"):
            return None
        if len(target) > 1 and target[1] != "/":
            return self._anchor(target[1:])
        found = self.root
        for part in target[1:].split("/")[1:]:
            part = _unquoted(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            elif isinstance(found, dict) and part in found:
                found = found[part]
            else:
                return None
        return found if isinstance(found, (dict, bool)) else None

    def _anchor(self, name):
        if self._anchors is None:
            self._anchors = {}
            stack = [self.root]
            for _ in range(MAX_NODES):
                if not stack:
                    break
                part = stack.pop()
                if isinstance(part, dict):
                    for key in ("$anchor", "$id", "id"):
                        text = part.get(key)
                        if isinstance(text, str) and (key == "$anchor" or text.startswith("#")):
                            self._anchors[text.lstrip("#")] = part
                    stack.extend(part.values())
                elif isinstance(part, list):
                    stack.extend(part)
        return self._anchors.get(name)

    def pattern(self, text):
        """A compiled pattern, or the PatternError that says why it is none."""
        if text not in self._patterns:
            try:
                self._patterns[text] = Pattern(text)
            except PatternError as error:
                self._patterns[text] = error
        return self._patterns[text]

    def unknown_in(self, part):
        """What of one schema, those inside left out, is not looked at."""
        for key in UNKNOWN:
            if key in part:
                yield key
        if "$ref" in part and self.resolve(part["$ref"]) is None:
            yield "$ref {}".format(json.dumps(part["$ref"]))
        identity = part.get("$id", part.get("id"))
        if part is not self.root and isinstance(identity, str) and not identity.startswith("#"):
            yield "$id {}".format(json.dumps(identity))
        kind = part.get("format")
        if isinstance(kind, str) and kind.lstrip("u") not in _INTEGER_BITS and kind not in _LOOSE_FORMATS:
            yield "format {}".format(json.dumps(kind))
        texts = [part["pattern"]] if "pattern" in part else []
        if isinstance(part.get("patternProperties"), dict):
            texts.extend(part["patternProperties"])
        for text in texts:
            found = self.pattern(text) if isinstance(text, str) else PatternError("not a text")
            if isinstance(found, PatternError):
                yield "pattern {} ({})".format(json.dumps(text), found)

    def _has(self, pattern, text):
        """True if the pattern is in the text, None if it can't be used."""
        if not isinstance(pattern, str):
            return None
        found = self.pattern(pattern)
        return None if isinstance(found, PatternError) else found.found_in(text, self.step)

    # ---- values ----

    def same(self, a, b, depth=0):
        """Equal as JSON values: 1 is 1.0, and not true."""
        self.step()
        if depth > MAX_DEPTH:
            raise SchemaError("the configuration is nested too deeply")
        if isinstance(a, dict):
            return (
                isinstance(b, dict)
                and len(a) == len(b)
                and all(key in b and self.same(a[key], b[key], depth + 1) for key in a)
            )
        if isinstance(a, list):
            return (
                isinstance(b, list)
                and len(a) == len(b)
                and all(self.same(a[i], b[i], depth + 1) for i in range(len(a)))
            )
        return isinstance(a, bool) == isinstance(b, bool) and a == b

    def matches(self, value, schema, path="", depth=0):
        try:
            self.check(value, schema, path, depth)
            return True
        except SchemaError:
            self.step()  # which a SchemaError for want of steps does not pass
            return False

    def check(self, value, schema, path="", depth=0):
        """SchemaError with the path of the first fault of `value`."""
        self.step()
        if schema is False:
            _fault(path, "not allowed")
        if not isinstance(schema, dict):
            return
        if depth > MAX_DEPTH:
            raise SchemaError("{}: the schema is nested too deeply".format(path or "the configuration"))
        depth += 1
        if "$ref" in schema:
            target = self.resolve(schema["$ref"])
            if target is not None:
                self.check(value, target, path, depth)
            if self._old:
                return
        if value is None and schema.get("nullable") is True:
            return
        self._check_kind(value, schema, path)
        if isinstance(value, dict):
            self._check_object(value, schema, path, depth)
        elif isinstance(value, list):
            self._check_array(value, schema, path, depth)
        elif isinstance(value, str):
            if "maxLength" in schema or "minLength" in schema:
                _check_size(_length(value), schema, "Length", "character", path)
            if "pattern" in schema and self._has(schema["pattern"], value) is False:
                _fault(path, "must fit the pattern {}".format(schema["pattern"]))
        elif _is_number(value):
            _check_number(value, schema, path)
        self._check_combined(value, schema, path, depth)
        if "unevaluatedProperties" in schema and isinstance(value, dict):
            self._check_rest(value, value, schema, "unevaluatedProperties", path, depth)
        elif "unevaluatedItems" in schema and isinstance(value, list):
            self._check_rest(value, range(len(value)), schema, "unevaluatedItems", path, depth)

    def _check_kind(self, value, schema, path):
        kind = schema.get("type")
        if kind is not None:
            kinds = [k for k in (kind if isinstance(kind, list) else [kind]) if k in _TYPES]
            if kinds and not any(is_kind(value, k) for k in kinds):
                _fault(path, "must be " + " or ".join(kinds))
        if "const" in schema and not self.same(value, schema["const"]):
            _fault(path, "must be {}".format(json.dumps(schema["const"])))
        allowed = schema.get("enum")
        if isinstance(allowed, list) and not any(self.same(value, a) for a in allowed):
            _fault(path, "must be one of " + _listed(allowed))

    def _check_array(self, value, schema, path, depth):
        _check_size(len(value), schema, "Items", "item", path)
        first = schema.get("prefixItems")
        rest = schema.get("items")
        if isinstance(rest, list):  # before 2020-12
            first, rest = rest, schema.get("additionalItems")
        if not isinstance(first, list):
            first = ()
        for i, item in enumerate(value):
            inside = "{}[{}]".format(path, i)
            if i < len(first):
                self.check(item, first[i], inside, depth)
            elif rest is not None:
                self.check(item, rest, inside, depth)
        if schema.get("uniqueItems") is True:
            for i in range(len(value)):
                for k in range(i):
                    if self.same(value[i], value[k]):
                        _fault("{}[{}]".format(path, i), "is there twice")
        if "contains" in schema:
            least, most = schema.get("minContains"), schema.get("maxContains")
            count = sum(1 for item in value if self.matches(item, schema["contains"], path, depth))
            if count < (least if _is_count(least) else 1):
                _fault(path, "has too few items of the required form")
            if _is_count(most) and count > most:
                _fault(path, "has too many items of one form")

    def _check_object(self, value, schema, path, depth):
        dot = path + "." if path else ""
        required = schema.get("required")
        if isinstance(required, list):
            for key in required:
                if key not in value:
                    _fault(dot + str(key), "missing")
        _check_size(len(value), schema, "Properties", "value", path)
        properties = _dict(schema, "properties")
        patterns = _dict(schema, "patternProperties")
        for key in value:
            known = key in properties
            if known:
                self.check(value[key], properties[key], dot + key, depth)
            for pattern in patterns:
                fits = self._has(pattern, key)
                known = known or fits is not False
                if fits:
                    self.check(value[key], patterns[pattern], dot + key, depth)
            if not known and "additionalProperties" in schema:
                more = schema["additionalProperties"]
                if more is False:
                    names = ", ".join(list(properties)[:SHOWN_VALUES])
                    _fault(dot + key, "unknown" + ("; known: " + names if names else ""))
                self.check(value[key], more, dot + key, depth)
            if "propertyNames" in schema:
                self.check(key, schema["propertyNames"], dot + key, depth)
        for keyword in ("dependencies", "dependentRequired", "dependentSchemas"):
            needs = _dict(schema, keyword)
            for key in needs:
                if key not in value:
                    continue
                if not isinstance(needs[key], list):
                    self.check(value, needs[key], path, depth)
                    continue
                for other in needs[key]:
                    if other not in value:
                        _fault(dot + str(other), "missing, since {} is there".format(key))

    def _check_combined(self, value, schema, path, depth):
        parts = schema.get("allOf")
        if isinstance(parts, list):
            for part in parts:
                self.check(value, part, path, depth)
        parts = schema.get("anyOf")
        if isinstance(parts, list) and not any(self.matches(value, part, path, depth) for part in parts):
            self._none_fits(value, parts, path, depth)
        parts = schema.get("oneOf")
        if isinstance(parts, list):
            count = sum(1 for part in parts if self.matches(value, part, path, depth))
            if not count:
                self._none_fits(value, parts, path, depth)
            if count > 1:
                _fault(path, "must fit exactly one of the allowed forms, and fits {}".format(count))
        if "not" in schema and self.matches(value, schema["not"], path, depth):
            _fault(path, "has a form that is not allowed")
        if "if" in schema:
            branch = "then" if self.matches(value, schema["if"], path, depth) else "else"
            if branch in schema:
                self.check(value, schema[branch], path, depth)

    def _check_rest(self, value, keys, schema, keyword, path, depth):
        """The unevaluated keywords: what no other schema for the same place has looked at."""
        if self._unsure is None:
            self._unsure = any("Ref" in said or "$ref" in said for said in unchecked(self.root))
        if self._unsure:
            return  # a schema that was not followed may have looked at more
        seen = set()
        self._note_seen(value, schema, keyword, seen, depth)
        for key in keys:
            if key not in seen:
                inside = (
                    "{}[{}]".format(path, key) if isinstance(key, int) else path + "." + key if path else key
                )
                if schema[keyword] is False:
                    _fault(inside, "unknown")
                self.check(value[key], schema[keyword], inside, depth)

    def _note_seen(self, value, schema, but, seen, depth):
        """Adds to `seen` the keys or indices of `value` that a schema which fits it looks at; `but`: its keyword that
        is not counted."""
        self.step()
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return
        depth += 1
        if isinstance(value, dict):
            self._note_names(value, schema, but, seen)
        elif isinstance(value, list):
            self._note_items(value, schema, but, seen, depth)
        parts = []
        if "$ref" in schema:
            parts.append(self.resolve(schema["$ref"]))
        for keyword in ("allOf", "anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list):
                parts.extend(schema[keyword])
        if "if" in schema:
            fits = self.matches(value, schema["if"], "", depth)
            if fits:
                parts.append(schema["if"])
            parts.append(schema.get("then" if fits else "else"))
        if isinstance(value, dict):
            needs = _dict(schema, "dependentSchemas")
            parts.extend([needs[key] for key in needs if key in value])
        for part in parts:
            if isinstance(part, dict) and self.matches(value, part, "", depth):
                self._note_seen(value, part, None, seen, depth)

    def _note_names(self, value, schema, but, seen):
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            if keyword in schema and keyword != but:
                seen.update(value)
        properties, patterns = _dict(schema, "properties"), _dict(schema, "patternProperties")
        for key in value:
            if key in properties or any(self._has(pattern, key) is not False for pattern in patterns):
                seen.add(key)

    def _note_items(self, value, schema, but, seen, depth):
        first, rest = schema.get("prefixItems"), "items"
        if isinstance(schema.get("items"), list):
            first, rest = schema["items"], "additionalItems"
        if rest in schema or "unevaluatedItems" in schema and but != "unevaluatedItems":
            seen.update(range(len(value)))
        if isinstance(first, list):
            seen.update(range(min(len(first), len(value))))
        if "contains" in schema and self._contains_counts:
            seen.update(
                [i for i in range(len(value)) if self.matches(value[i], schema["contains"], "", depth)]
            )

    def _none_fits(self, value, parts, path, depth):
        """Raises the fault of the one form that was meant, if that can be told: the others are of another type, or
        have another constant."""
        constants = constants_of(parts)
        if constants is not None:
            _fault(path, "must be one of " + _listed(constants))
        meant = [part for part in parts if self.is_meant(value, part)]
        if len(meant) == 1:
            self.check(value, meant[0], path, depth)
        _fault(path, "fits none of the allowed forms")

    def is_meant(self, value, part):
        """Whether a value has the type of a form, and its constants where it has any."""
        part = self.target(part)
        kind = part.get("type")
        if kind in _TYPES and not is_kind(value, kind):
            return False
        if isinstance(value, dict):
            properties = _dict(part, "properties")
            for key in properties:
                constants = constants_of([properties[key]])
                if constants is not None and key in value and value[key] not in constants:
                    return False
                if constants is not None and key not in value and key in part.get("required", ()):
                    return False
        return True

    def target(self, part):
        """A schema with its $ref followed, as far as that goes; {} where it says nothing."""
        for _ in range(MAX_DEPTH):
            if not isinstance(part, dict) or "$ref" not in part:
                break
            part = self.resolve(part["$ref"])
        return part if isinstance(part, dict) else {}


# Formats that schemars writes for numbers and that say no more than the type; and one that is for who shows a form.
_LOOSE_FORMATS = ("float", "double", "int", "uint", "int128", "uint128", "password")


def constants_of(parts):
    """The values of a list of schemas that allow nothing but constants, or None."""
    found = []
    for part in parts:
        if isinstance(part, dict) and "const" in part:
            found.append(part["const"])
        elif isinstance(part, dict) and isinstance(part.get("enum"), list):
            found.extend(part["enum"])
        else:
            return None
    return found


def _length(text):
    """Characters of a text; the JSON parser leaves an escaped pair of surrogates as two."""
    return len(text) - sum(1 for c in text if 0xDC00 <= ord(c) <= 0xDFFF)


def _dict(schema, key):
    found = schema.get(key)
    return found if isinstance(found, dict) else {}


def _unquoted(text):
    """A URI fragment without its percent signs (RFC 3986, 2.1)."""
    if "%" not in text:
        return text
    raw = text.encode()
    out = bytearray()
    at = 0
    while at < len(raw):
        if raw[at] == 37:
            try:
                out.append(int(raw[at + 1 : at + 3], 16))
                at += 3
                continue
            except ValueError:
                pass
        out.append(raw[at])
        at += 1
    try:
        return bytes(out).decode()
    except UnicodeError:
        return text


def _check_size(size, schema, suffix, unit, path):
    low, high = schema.get("min" + suffix), schema.get("max" + suffix)
    if _is_count(low) and size < low:
        _fault(path, "must have at least {} {}{}".format(low, unit, "" if low == 1 else "s"))
    if _is_count(high) and size > high:
        _fault(path, "must have at most {} {}{}".format(high, unit, "" if high == 1 else "s"))


def _check_number(value, schema, path):
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if above is True:  # draft 4
        low, above = None, low
    if below is True:
        high, below = None, high
    if _is_number(low) and value < low:
        _fault(path, "must be at least {}".format(low))
    if _is_number(high) and value > high:
        _fault(path, "must be at most {}".format(high))
    if _is_number(above) and value <= above:
        _fault(path, "must be more than {}".format(above))
    if _is_number(below) and value >= below:
        _fault(path, "must be less than {}".format(below))
    unit = schema.get("multipleOf")
    if _is_number(unit) and unit > 0 and not _is_multiple(value, unit):
        _fault(path, "must be a multiple of {}".format(unit))
    bounds = bounds_of(schema.get("format"))
    if bounds is not None and not bounds[0] <= value <= bounds[1]:
        _fault(path, "must be from {} to {}".format(*bounds))


def bounds_of(form):
    """The least and the greatest number of a format such as "uint8", or None."""
    if not isinstance(form, str):
        return None
    bits = _INTEGER_BITS.get(form[1:] if form.startswith("u") else form)
    if bits is None:
        return None
    return (0, (1 << bits) - 1) if form.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)


def _is_multiple(value, unit):
    if isinstance(value, int) and isinstance(unit, int):
        return value % unit == 0
    # The board's numbers have 24 bits: 0.3 is a multiple of 0.1.
    quotient = value / unit
    if not -8388608 < quotient < 8388608:
        return _is_whole(quotient)
    return abs(quotient - round(quotient)) <= abs(quotient) * 2.5e-7
