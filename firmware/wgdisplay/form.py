"""A form in lines of text, made from a widget's JSON schema: asks for each setting and returns a configuration.

Types, choices (enum, const, oneOf and anyOf as schemars writes them), ranges, defaults, nested objects and lists,
descriptions; what has no form of its own is asked for as JSON. Each answer is checked at once, the whole at the end.
Required settings come first, in the order of the schema's text. Nothing is stored here.
"""

import json

from micropython import const

from .prompt import Back, answer, text_of, yes
from .storage.schema import (
    Checker,
    SchemaError,
    bounds_of,
    check,
    constants_of,
    is_kind,
    parse,
    unchecked,
)

WIDTH = const(79)  # columns of a line
MAX_DEPTH = const(8)  # of settings in each other; deeper ones are asked for as JSON
MANY = const(4)  # optional settings more than that are only asked for if wanted
MAX_LISTED = const(12)  # characters of each item of a list that is shown in a question

_NOTHING = object()  # no value: a setting that is left out
_HINT = 'A value is needed here ("back" goes back, "quit" leaves).'


class Form:
    """The form of one schema, given as text. `ask(prompt, secret)` is prompt.answer(), `say` prints a line."""

    def __init__(self, text, ask=answer, say=print):
        self._text = text
        self._schema = parse(text) or {}
        self._ask = ask
        self._say = say

    def questions(self):
        """Whether there is anything to ask for."""
        schema = self._merged(self._schema)
        return bool(_dict(schema, "properties")) or isinstance(schema.get("additionalProperties"), dict)

    def fill(self, current):
        """-> a configuration that fits the schema, a dict. `current`: the one until now, whose values are offered.

        Left and Back pass.
        """
        value = current
        for said in unchecked(self._schema):
            self._told("Not checked on this board: {}.".format(said), "")
        while True:
            value = self._object(self._merged(self._schema), "", value if isinstance(value, dict) else {}, 0)
            try:
                check(value, self._schema)
                return value
            except SchemaError as error:
                self._say("That does not fit: {}.".format(error))
                if not self.questions():
                    raise

    # ---- schemas ----

    def _merged(self, schema, depth=0):
        """A schema with its $ref and allOf laid together, and without the form that only allows null."""
        checker = Checker(self._schema)
        if not isinstance(schema, dict):
            return {}
        parts = []
        if "$ref" in schema:
            parts.append(checker.target(schema))
        if isinstance(schema.get("allOf"), list):
            parts.extend(schema["allOf"])
        for keyword in ("anyOf", "oneOf"):
            forms = schema.get(keyword)
            if isinstance(forms, list):
                rest = [form for form in forms if not _only_null(checker.target(form))]
                if len(rest) == 1:
                    parts.append(rest[0])
                    schema = _without(schema, keyword)
                elif len(rest) < len(forms):
                    schema = _without(schema, keyword)
                    schema[keyword] = rest
        if not parts or depth > MAX_DEPTH:
            return schema
        found = {}
        for part in [self._merged(part, depth + 1) for part in parts] + [_without(schema, "$ref", "allOf")]:
            for key in part:
                if key == "properties" and isinstance(found.get(key), dict) and isinstance(part[key], dict):
                    both = found[key].copy()
                    both.update(part[key])
                    found[key] = both
                elif key == "required" and isinstance(found.get(key), list) and isinstance(part[key], list):
                    found[key] = found[key] + part[key]
                else:
                    found[key] = part[key]
        return found

    def _ordered(self, names, required):
        """Names of settings: required ones first, else as they stand in the schema's text."""
        keyed = []
        for name in names:
            at = self._text.find(json.dumps(name) + ":")
            if at < 0:
                at = self._text.find(json.dumps(name) + " :")
            keyed.append((name not in required, at, name))
        keyed.sort()
        return [name for _, _, name in keyed]

    def _fault(self, value, schema, path):
        """What is wrong with one answer, or None."""
        try:
            Checker(self._schema).check(value, schema, path)
        except SchemaError as error:
            return str(error)
        except RuntimeError:
            return "{}: the schema is nested too deeply".format(path)
        return None

    # ---- asking ----

    def _told(self, text, indent="  "):
        for line in _wrapped(text, WIDTH - len(indent)):
            self._say(indent + line)

    def _value(self, schema, path, current, required, depth):
        """-> a value for one setting, or _NOTHING where it is left out."""
        whole = schema
        schema = self._merged(schema)
        if "const" in schema:
            return schema["const"]
        description = schema.get("description")
        if isinstance(description, str) and description:
            self._told(description)
        preset = current
        if preset is _NOTHING and "default" in schema and self._fault(schema["default"], whole, path) is None:
            preset = schema["default"]
        if depth > MAX_DEPTH:
            return self._scalar(whole, {}, path, preset, current, required)
        choices = self._choices(schema)
        if choices is not None:
            return self._choose(whole, choices, path, preset, current, required)
        for keyword in ("oneOf", "anyOf"):
            if isinstance(schema.get(keyword), list) and schema[keyword]:
                return self._form(whole, schema[keyword], path, preset, required, depth)
        kind = _kind(schema)
        if kind == "object":
            if (
                not required
                and preset is _NOTHING
                and not yes("{}: set it?".format(path), False, self._ask, self._say)
            ):
                return _NOTHING
            return self._object(schema, path, preset if isinstance(preset, dict) else {}, depth + 1)
        if kind == "array":
            return self._array(whole, schema, path, preset, current, required, depth)
        return self._scalar(whole, schema, path, preset, current, required)

    def _object(self, schema, path, current, depth):
        dot = path + "." if path else ""
        properties = _dict(schema, "properties")
        required = [key for key in schema.get("required") or () if isinstance(key, str)]
        names = self._ordered(properties, required)
        optional = [name for name in names if name not in required]
        found = current.copy()
        at = 0
        asked = len(optional) <= MANY
        while at < len(names):
            name = names[at]
            try:
                if not asked and name not in required:
                    said = ", ".join(optional)
                    self._told("{} settings can be left as they are: {}.".format(len(optional), said), "")
                    if not yes("Change some of them?", False, self._ask, self._say):
                        break
                    asked = True
                value = self._value(
                    properties[name], dot + name, found.get(name, _NOTHING), name in required, depth
                )
            except Back:
                at = self._before(properties, names, at)
                if at < 0:
                    raise
                continue
            found.pop(name, None)
            if value is not _NOTHING:
                found[name] = value
            at += 1
        if isinstance(schema.get("additionalProperties"), dict):
            self._entries(schema["additionalProperties"], path, dot, properties, found, depth)
        return found

    def _before(self, properties, names, at):
        """The question before the one at `at`; constants are none."""
        at -= 1
        while at >= 0 and "const" in self._merged(properties[names[at]]):
            at -= 1
        return at

    def _entries(self, schema, path, dot, properties, found, depth):
        """Settings whose names are free."""
        while True:
            have = [key for key in found if key not in properties]
            if have:
                self._told("{} has: {}.".format(path or "The configuration", ", ".join(have)), "")
            name = text_of(self._ask("Name of one more entry (Enter: no more): "))
            if not name:
                return
            try:
                value = self._value(schema, dot + name, found.get(name, _NOTHING), True, depth)
            except Back:
                continue
            if value is not _NOTHING:
                found[name] = value

    def _array(self, whole, schema, path, preset, current, required, depth):
        first = schema.get("prefixItems")
        rest = schema.get("items", {})
        if isinstance(rest, list):
            first, rest = rest, schema.get("additionalItems", {})
        if not isinstance(first, list):
            first = []
        if rest is False:
            rest = None
        if preset is not _NOTHING and isinstance(preset, list) and preset:
            self._say("{} is now:".format(path))
            for item in preset:
                self._told("- " + _in_words(item))
            if yes("Keep that?", True, self._ask, self._say):
                return _NOTHING if current is _NOTHING and not required else preset
        while True:
            found = self._items(schema, first, rest, path, required, depth)
            if not found and not required:
                return _NOTHING
            fault = self._fault(found, whole, path)
            if fault is None:
                return found
            self._say("That does not fit: {}.".format(fault))

    def _items(self, schema, first, rest, path, required, depth):
        least, most = schema.get("minItems"), schema.get("maxItems")
        least = least if isinstance(least, int) else len(first)
        if not isinstance(most, int):
            most = None
        found = []
        while (most is None or len(found) < most) and (len(found) < len(first) or rest is not None):
            part = first[len(found)] if len(found) < len(first) else rest
            inside = "{}[{}]".format(path, len(found))
            try:
                if len(found) >= least:
                    wanted = required and not found
                    if not yes(
                        "{} {}?".format("One more:" if found else "Add", inside), wanted, self._ask, self._say
                    ):
                        return found
                value = self._value(part, inside, _NOTHING, True, depth + 1)
            except Back:
                if not found:
                    raise
                found.pop()
                self._say("{}[{}] is taken back.".format(path, len(found)))
                continue
            found.append(value)
        return found

    def _choices(self, schema):
        """[(value, description)...] where only some constants are allowed, or None."""
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return [(value, "") for value in schema["enum"]]
        checker = Checker(self._schema)
        for keyword in ("oneOf", "anyOf"):
            forms = schema.get(keyword)
            if not isinstance(forms, list) or not forms:
                continue
            forms = [checker.target(form) for form in forms]
            if constants_of(forms) is None:
                continue
            found = []
            for form in forms:
                about = form.get("description") or form.get("title") or ""
                for value in constants_of([form]):
                    found.append((value, about if isinstance(about, str) else ""))
            return found
        return None

    def _choose(self, whole, choices, path, preset, current, required):
        shown = [_said(value) for value, _ in choices]
        width = max([len(text) for text in shown])
        for i, (_, about) in enumerate(choices):
            line = "{:>4}  {:{}}  {}".format(i + 1, shown[i], width, about).rstrip()
            self._say(line if len(line) <= WIDTH else line[: WIDTH - 3] + "...")
        while True:
            line = self._ask(_question("{}, 1 to {}".format(path, len(choices)), preset))
            if not line:
                if preset is not _NOTHING or not required:
                    return current if current is not _NOTHING or not required else preset
                self._say(_HINT)
                continue
            value = _NOTHING
            for i, text in enumerate(shown):
                if text_of(line) == text or text_of(line).lower() == text.lower():
                    value = choices[i][0]
            if value is _NOTHING and line.isdigit() and 1 <= int(line) <= len(choices):
                value = choices[int(line) - 1][0]
            if value is _NOTHING:
                self._say("Type one of the numbers from 1 to {}.".format(len(choices)))
            else:
                return value

    def _form(self, whole, forms, path, preset, required, depth):
        """One of several forms: which one, then its value."""
        self._say("{} has one of these forms:".format(path))
        for i, form in enumerate(forms):
            self._say("{:>4}  {}".format(i + 1, _short(self._name_of(form), WIDTH - 6)))
        checker = Checker(self._schema)
        preset_at = None
        if preset is not _NOTHING:
            for i, form in enumerate(forms):
                if preset_at is None and checker.matches(preset, form):
                    preset_at = i
        while True:
            shown = _NOTHING if preset_at is None else preset_at + 1
            line = self._ask(_question("{}, 1 to {}".format(path, len(forms)), shown))
            if not line and preset_at is None and not required:
                return _NOTHING
            at = preset_at if not line else int(line) - 1 if line.isdigit() else -1
            if at is None or not 0 <= at < len(forms):
                self._say("Type one of the numbers from 1 to {}.".format(len(forms)))
                continue
            while True:
                try:
                    value = self._value(
                        forms[at], path, preset if at == preset_at else _NOTHING, True, depth + 1
                    )
                except Back:
                    break  # to the choice of a form
                fault = self._fault(value, whole, path)
                if fault is None:
                    return value
                self._say("That does not fit: {}.".format(fault))

    def _name_of(self, form):
        form = self._merged(form)
        for key in ("title", "description"):
            if isinstance(form.get(key), str) and form[key]:
                return form[key]
        properties = _dict(form, "properties")
        for key in properties:
            constants = constants_of([self._merged(properties[key])])
            if constants:
                return "{} {}".format(key, _said(constants[0]))
        required = form.get("required")
        if isinstance(required, list) and required:
            return ", ".join([str(key) for key in required])
        return _TYPES.get(_kind(form), "any value")

    def _scalar(self, whole, schema, path, preset, current, required):
        kind = _kind(schema)
        secret = schema.get("format") == "password" or schema.get("writeOnly") is True
        what = _about(schema, kind)
        shown = "not shown" if secret and preset is not _NOTHING else preset
        while True:
            line = self._ask(_question(path + ("," if what else "") + what, shown), secret)
            if not line:
                if preset is not _NOTHING or not required:
                    return current if current is not _NOTHING or not required else preset
                self._say(_HINT)
                continue
            try:
                value = _read(line, kind, schema)
            except ValueError as error:
                self._say("{}: {}.".format(path, error))
                continue
            fault = self._fault(value, whole, path)
            if fault is None:
                return value
            self._say("{}.".format(fault))


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "array": "a list",
    "object": "settings",
}


def _kind(schema):
    """The one type that a schema allows besides null, or None."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = [kind for kind in kinds if kind != "null"]
        kinds = kinds[0] if len(kinds) == 1 else None
    if kinds in _TYPES:
        return kinds
    if "properties" in schema:
        return "object"
    return None


def _about(schema, kind):
    """What is asked for, in a few words."""
    if kind == "string":
        return ""
    if kind is None:
        return " as JSON"
    if kind in ("integer", "number"):
        bounds = bounds_of(schema.get("format")) or (None, None)
        low, high = schema.get("minimum", bounds[0]), schema.get("maximum", bounds[1])
        if is_kind(low, "number") and is_kind(high, "number"):
            return " {} from {} to {}".format(_TYPES[kind], low, high)
        if is_kind(low, "number"):
            return " {}, at least {}".format(_TYPES[kind], low)
        if is_kind(high, "number"):
            return " {}, at most {}".format(_TYPES[kind], high)
    return " " + _TYPES[kind]


def _read(line, kind, schema):
    """The value that a line stands for; ValueError with what to type instead."""
    if kind == "string":
        return text_of(line)
    if kind == "boolean":
        word = line.lower()
        if word in ("y", "yes", "true", "1", "on"):
            return True
        if word in ("n", "no", "false", "0", "off"):
            return False
        raise ValueError("type yes or no")
    if kind == "integer":
        try:
            return int(line)
        except ValueError:
            raise ValueError("type a whole number")
    if kind == "number":
        try:
            return int(line) if line.lstrip("+-").isdigit() else float(line)
        except ValueError:
            raise ValueError("type a number")
    try:
        return json.loads(line)
    except ValueError:
        raise ValueError('type JSON, such as 5, "text", true or [1, 2]')


def _question(text, preset):
    """A question with its preset in brackets, fitted to one line with room for an answer."""
    if preset is _NOTHING:
        return text + ": "
    shown = _short(preset, max(MAX_LISTED, WIDTH - len(text) - 20))
    return "{} [{}]: ".format(text, shown)


def _said(value):
    return value if isinstance(value, str) else json.dumps(value)


def _short(value, most=48):
    text = '""' if value == "" else _said(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def _in_words(value):
    if not isinstance(value, dict):
        return _said(value)
    return ", ".join(["{} {}".format(key, _said(value[key])) for key in sorted(value)])


def _only_null(form):
    return form.get("type") == "null" or form.get("const", 0) is None or form.get("enum") == [None]


def _dict(schema, key):
    found = schema.get(key)
    return found if isinstance(found, dict) else {}


def _without(schema, *keys):
    return {key: schema[key] for key in schema if key not in keys}


def _wrapped(text, width):
    """Lines of a text that fit."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = ""
        line = line + " " + word if line else word
    if line:
        yield line
