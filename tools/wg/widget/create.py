"""A new widget from the template widgets/hello, and a store's catalogue of widgets."""

from __future__ import annotations

import json
import re
from pathlib import Path

from wg import ROOT
from wg.process import ToolError
from wg.widget.build import compact_schema

TEMPLATE = ROOT / "widgets" / "hello"


def create(name: str, parent: Path) -> Path:
    """Makes the folder of a widget called `name` below `parent` and returns it.

    Raises ToolError if the name has no letter to make a folder's name of, or if the folder is there already.
    """
    if not re.search(r"[A-Za-z0-9]", name) or len(name) > 40 or not name.isprintable():
        raise ToolError(
            "A widget's name is 1 to 40 printable characters with a letter or a digit among them."
        )
    folder = parent / re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if folder.exists():
        raise ToolError(f"{folder} is there already: choose another name or remove it first.")
    literal = name.replace("\\", "\\\\").replace('"', '\\"')
    source = (TEMPLATE / "widget.c").read_text("utf-8")
    source = source.replace('WG_WIDGET("Hello"', f'WG_WIDGET("{literal}"')
    source = source.replace("/* A greeting: the template of `wg widget new`. */\n", "")
    schema = json.loads((TEMPLATE / "schema.json").read_text("utf-8"))
    schema["title"] = name
    folder.mkdir(parents=True)
    (folder / "widget.c").write_text(source, "utf-8")
    (folder / "schema.json").write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return folder


def catalogue(folders: list[Path], address: str) -> str:
    """A store's catalogue, JSON, of widgets whose sources are in `folders`: name and description are those of
    schema.json, the files are `<address>/<folder>.wasm`.
    """
    items = []
    for folder in folders:
        schema = json.loads(compact_schema(folder))
        name = folder.resolve().name
        items.append(
            {
                "name": str(schema.get("title", name)),
                "description": str(schema.get("description", "")),
                "url": f"{address.rstrip('/')}/{name}.wasm",
            }
        )
    return json.dumps(items, indent=2, ensure_ascii=False) + "\n"
