"""The whole configuration as one value, for `wg.export()` and `wg.restore()`.

    {"wg_display": 1, "version": "...", "background": "#...", "settings": {...},
     "networks": [{"ssid": ..., "password": ...}],
     "widgets": [{"name", "version", "description", "url", "sha256", "limits", "hosts", "config", "left_out"}...]}

Secrets are passwords of networks, a widget's values that its schema marks (`"format": "password"`, `writeOnly`) or
whose name says so, and what stands before the host in an address. They are left out unless asked for; `left_out` names
them, and a restore leaves such values as they are on the board. The widgets' files are not in it: they come from their
`url`.
"""

import json

from .storage.schema import Checker, SchemaError, check, parse

FORMAT = 1

_SECRET_WORDS = (
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "credential",
    "private",
)
_COPIED = ("name", "version", "description", "sha256", "limits", "hosts")


class BackupError(Exception):
    """A value that is no export, or can't be read; one sentence."""


def read(source):
    """An export from a dict, JSON text or the path of a file, its shape checked. BackupError."""
    text = source
    if isinstance(source, str) and not source.lstrip().startswith("{"):
        try:
            with open(source) as file:
                text = file.read()
        except (OSError, UnicodeError) as error:
            raise BackupError("{} can't be read: {}".format(source, error))
    if isinstance(text, str):
        try:
            text = json.loads(text)
        except ValueError:
            raise BackupError("that is not valid JSON")
    if not isinstance(text, dict) or text.get("wg_display") != FORMAT:
        raise BackupError("that is no export of a WG Display: wg.export() makes one")
    try:
        check(text, _SHAPE)
    except SchemaError as error:
        raise BackupError("that export is damaged: {}".format(error))
    return text


_TEXT = {"type": "string"}
_SHAPE = {
    "properties": {
        "background": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        "settings": {"type": "object"},
        "networks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["ssid"],
                "properties": {
                    "ssid": {"type": "string", "minLength": 1, "maxLength": 32},
                    "password": {"type": "string", "maxLength": 63},
                },
            },
        },
        "widgets": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "config"],
                "properties": {
                    "name": _TEXT,
                    "url": _TEXT,
                    "description": _TEXT,
                    "config": {"type": "object"},
                    "limits": {"type": "object"},
                    "hosts": {"type": "array", "items": _TEXT},
                    "left_out": {"type": "array", "items": _TEXT},
                },
            },
        },
    }
}


def _is_secret(name, schema):
    low = name.lower()
    return (
        schema.get("format") == "password"
        or schema.get("writeOnly") is True
        or any(word in low for word in _SECRET_WORDS)
        or low in ("key", "pin", "auth")
    )


def without_secrets(value, schema, left_out, path="", checker=None):
    """A copy of a configuration without its secrets, whose paths are added to `left_out`."""
    if checker is None:
        checker = Checker(schema)
    part = checker.target(schema)
    if isinstance(value, dict):
        found = {}
        properties = part.get("properties")
        for key in value:
            inside = (path + "." if path else "") + key
            one = properties.get(key) if isinstance(properties, dict) else None
            if _is_secret(key, checker.target(one)) and value[key] not in ("", None):
                left_out.append(inside)
            else:
                found[key] = without_secrets(value[key], one or {}, left_out, inside, checker)
        return found
    if isinstance(value, list):
        items = part.get("items")
        items = items if isinstance(items, dict) else {}
        return [
            without_secrets(item, items, left_out, "{}[{}]".format(path, i), checker)
            for i, item in enumerate(value)
        ]
    if isinstance(value, str) and "://" in value and "@" in value:
        scheme, _, rest = value.partition("://")
        authority, slash, tail = rest.partition("/")
        if "@" in authority:
            left_out.append(path)
            return scheme + "://" + authority.rpartition("@")[2] + slash + tail
    return value


def with_secrets(config, now, left_out):
    """An exported configuration with the values that it left out, where the board has them at the same place."""
    for path in left_out:
        here, there = config, now
        steps = path.replace("[", ".[").split(".")
        for i, step in enumerate(steps):
            step = int(step[1:-1]) if step.startswith("[") and step[1:-1].isdigit() else step
            try:
                if i == len(steps) - 1:
                    here[step] = there[step]
                else:
                    here, there = here[step], there[step]
            except (KeyError, IndexError, TypeError):
                break
    return config


# ---- work in the application's loop ----


async def export(job, app, secrets):
    from . import VERSION

    storage = app.storage
    networks = []
    for ssid, password in storage.networks():
        networks.append({"ssid": ssid, "password": password} if secrets else {"ssid": ssid})
    widgets = []
    for widget in storage.config["widgets"]:
        entry = {key: widget[key] for key in _COPIED if key in widget}
        left_out = []
        try:
            config = json.loads(widget["json_config"])
        except ValueError:
            config = {}
        entry["config"], entry["url"] = config, widget["url"]
        if not secrets:
            schema = parse(widget["json_config_schema"]) or {}
            entry["config"] = without_secrets(config, schema, left_out)
            entry["url"] = without_secrets(widget["url"], {}, [])
            entry["left_out"] = left_out
        widgets.append(entry)
    return {
        "wg_display": FORMAT,
        "version": VERSION,
        "background": storage.config["background_color"],
        "settings": storage.config["settings"].copy(),
        "networks": networks,
        "widgets": widgets,
    }


async def put_network(job, app, ssid, password):
    """True if it was not known as it is."""
    known = app.storage.networks()
    if password is None or (ssid, password) in known:
        return False
    app.storage.add_network(ssid, password)
    return True


async def put_widget(job, app, entry):
    """Gives an installed widget its configuration and limits; False if it is not installed."""
    name = entry["name"]
    if not app.storage.has(name):
        return False
    try:
        now = json.loads(app.storage.widget(name)["json_config"])
    except ValueError:
        now = {}
    config = with_secrets(entry["config"], now, entry.get("left_out", ()))
    await app.configure(job, name, json.dumps(config))
    limits = {key: None for key in app.storage.widget(name)["limits"]}
    limits.update(entry.get("limits", {}))
    if limits:
        await app.limits(job, name, limits)
    if "hosts" in entry and hasattr(app, "hosts"):
        await app.hosts(job, name, entry["hosts"])
    return True


async def put_new_widget(job, app, entry):
    """Installs a widget of an export together with its configuration."""

    def configuration(metadata):
        schema = parse(metadata["schema"])
        if schema is not None:
            check(entry["config"], schema)
        return entry["config"]

    widget = await app.install(
        job, entry["url"], entry.get("description", ""), hosts=entry.get("hosts"), ask=configuration
    )
    if entry.get("limits"):
        await app.limits(job, widget["name"], entry["limits"])
    return widget
