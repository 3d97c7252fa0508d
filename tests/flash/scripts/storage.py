# The storage's refusals and repairs on a small flash in RAM. Prints {what: what was said or found}.
import json
import os

import vfs

from wgdisplay.storage import MAX_WIDGET_BYTES, SchemaError, Storage, StorageError, catalogue
from wgdisplay.storage.record import Record


class Ram:
    def __init__(self, blocks):
        self.data = bytearray(b"\xff" * (blocks * 4096))
        self.blocks = blocks
        self.writes = 0

    def readblocks(self, block, buf, off=0):
        buf[:] = memoryview(self.data)[block * 4096 + off : block * 4096 + off + len(buf)]

    def writeblocks(self, block, buf, off=0):
        self.writes += 1
        self.data[block * 4096 + off : block * 4096 + off + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 6:
            self.writes += 1
        return {4: self.blocks, 5: 4096}.get(op, 0)


ram = Ram(160)
vfs.VfsLfs2.mkfs(ram)
vfs.mount(vfs.VfsLfs2(ram), "/f")
found = {}


def refusal(function, *args):
    try:
        function(*args)
    except (StorageError, SchemaError) as error:
        return str(error)
    return None


def opened():
    s = Storage("/f/data")
    s.open()
    return s


def receive(s, content, **options):
    incoming = s.receive(**options)
    try:
        for at in range(0, len(content), 4096):
            incoming.write(content[at : at + 4096])
        incoming.finish()
        return incoming
    except StorageError:
        incoming.discard()
        raise


def install(s, name, content, schema="{}"):
    incoming = receive(s, content)
    try:
        return s.add(incoming, {"name": name, "version": "1", "schema": schema, "cycle": 0})
    finally:
        incoming.discard()


def tree():
    return [sorted(os.listdir("/f/data" + folder)) for folder in ("", "/0", "/1", "/widgets")]


def contents(name):
    with open("/f/data/" + name, "rb") as f:
        return f.read()


def rot(name, change=None):
    """Changes a byte in the middle of a file, or makes it something else."""
    if change is None:
        change = bytearray(contents(name))
        change[len(change) // 2] ^= 0x10
    with open("/f/data/" + name, "wb") as f:
        f.write(change)


def newest(name):
    kept = Record("/f/data", name)
    kept.load()
    return f"{kept.generation & 1}/{name}"


def entry(name):
    return catalogue._id(name)


def halves(name):
    return [f"{half}/{name}" for half in "01" if name in os.listdir(f"/f/data/{half}")]


def records():
    return [f"{half}/{name}" for half in "01" for name in os.listdir(f"/f/data/{half}")]


def wasm(s, name):
    return "widgets/" + s.widget(name)["sha256"][:32] + ".wasm"


s = opened()
schema = json.dumps({"type": "object", "required": ["zone"], "properties": {"zone": {"type": "string"}}})
install(s, "A", b"aaaa", schema)
before = tree()
found["same name"] = refusal(install, s, "A", b"bbbb")
found["same file"] = refusal(install, s, "B", b"aaaa")
found["empty name"] = refusal(install, s, "", b"cccc")
found["too large"] = refusal(s.receive, MAX_WIDGET_BYTES + 1)
found["no space, known"] = refusal(s.receive, 600 * 1024)
found["no space, found out"] = refusal(receive, s, bytes(600 * 1024))
found["no such widget"] = refusal(s.remove, "Z")
found["no such setting"] = refusal(s.set, "colour", "red")
found["wrong type of setting"] = refusal(s.set, "ntp", 3)
found["not JSON"] = refusal(s.configure, "A", "{")
found["not an object"] = refusal(s.configure, "A", "[]")
found["against the schema"] = refusal(s.configure, "A", '{"zone": 1}')
found["missing"] = refusal(s.configure, "A", "{}")
found["left nothing"] = tree() == before
found["still good"] = bytes(s.read("A")) == b"aaaa"

# What is not changed is not written.
s.configure("A", '{"zone": "UTC"}')
s.add_network("home", "12345678")
s.set_background("#102030")
s.set("ntp", "a.example")
writes, generation = ram.writes, s.generation
s.configure("A", '{"zone": "UTC"}')
s.add_network("home", "12345678")
s.set_background("#102030")
s.set("ntp", "a.example")
found["unchanged writes"] = ram.writes - writes
found["unchanged generation"] = s.generation == generation


# A full flash refuses in words, keeps what was, and takes changes again when there is room.
def fill():
    # The last block, too: what did not fit any more into a file was given back.
    for n in range(20):
        try:
            with open(f"/f/filler.{n}", "wb") as f:
                while True:
                    f.write(bytes(512))
                    f.flush()
        except OSError:
            pass


def empty():
    for name in os.listdir("/f"):
        if name.startswith("filler"):
            os.remove("/f/" + name)


fill()
s.set_background("#102030")
found["full flash"] = refusal(s.configure, "A", json.dumps({"zone": "x" * 5000}))
found["full flash kept"] = s.widget("A")["json_config"] == '{"zone": "UTC"}'
empty()
s.configure("A", json.dumps({"zone": "x" * 5000}))
s.configure("A", '{"zone": "UTC"}')

# The passwords are in their own file only.
found["secret elsewhere"] = [
    name for name in records() if name[2:] not in ("wifi", "access") and b"12345678" in contents(name)
]
s.add_network("cafe", "abcdefgh")
s.forget_network("cafe")
found["forgotten"] = [name for name in records() if b"abcdefgh" in contents(name)]

# A rotten widget costs only itself: it is set aside, and the next file of that name repairs it with its configuration.
install(s, "B", b"bbbb")
rot(wasm(s, "A"))
s = opened()
assert s.problems == []
found["rotten widget"] = refusal(s.read, "A")
found["rotten widget again"] = refusal(s.read, "A")
found["its neighbour"] = bytes(s.read("B")) == b"bbbb"
assert any(name.endswith(".bad") for name in tree()[3])
s = opened()
found["lost file"] = list(s.problems)
assert len(s.problems) == 1 and not s.has("Z")
install(s, "A", b"aaaa", schema)
assert s.problems == [] and opened().problems == []
found["repaired"] = bytes(s.read("A")) == b"aaaa" and s.widget("A")["json_config"] == '{"zone": "UTC"}'
assert not any(name.endswith(".bad") for name in tree()[3])

# A file can be replaced; what the owner set stays, unless the new schema refuses it.
s.set_limits("A", {"fuel": 5000})
s.set_hosts("A", ["api.example"])


def replace(s, name, content, schema, own=None, **options):
    incoming = receive(s, content, replaces=name)
    try:
        found = {"name": own or name, "version": "2", "schema": schema, "cycle": 7}
        return s.replace(name, incoming, found, **options)
    finally:
        incoming.discard()


before = tree()
found["replaced by another"] = refusal(replace, s, "A", b"a2", schema, "C")
found["replaced by its neighbour"] = refusal(replace, s, "A", b"bbbb", schema)
assert tree() == before
changed, kept = replace(s, "A", b"a2", schema, url="http://new")
found["replaced"] = kept and opened().widget("A") == changed == s.widget("A")
assert [
    changed[key] for key in ("version", "json_config", "limits", "hosts", "url", "update_cycle_seconds")
] == ["2", '{"zone": "UTC"}', {"fuel": 5000}, ["api.example"], "http://new", 7]
assert bytes(s.read("A")) == b"a2" and len(tree()[3]) == len(before[3])
writes = ram.writes
assert replace(s, "A", b"a2", schema) == (changed, True)
found["replaced by the same"] = ram.writes - writes < 8  # the download only
changed, kept = replace(s, "A", b"a3", '{"type": "object", "required": ["key"]}')
found["configuration refused"] = (
    not kept and changed["json_config"] == "{}" and changed["limits"] == {"fuel": 5000}
)

# A rotten record has the generation before it; both gone, the file is asked for its name.
s.configure("A", '{"key": 1}')
s.configure("A", '{"key": 2}')
rot(newest(entry("A")))
s = opened()
found["rotten entry"] = s.problems
assert s.widget("A")["json_config"] == '{"key": 1}' and s.names() == ["A", "B"]
assert opened().problems == []
os.remove("/f/data/" + newest(entry("A")))  # as when a folder rots and LittleFS finds an earlier state of it
s = opened()
found["lost generation"] = s.problems
assert s.widget("A")["json_config"] == '{"key": 1}' and len(halves(entry("A"))) == 2
s.configure("A", '{"key": 3}')
assert opened().widget("A")["json_config"] == '{"key": 3}'
for half in halves(entry("A")):
    rot(half)
s = opened()
found["lost entry"] = s.problems
assert s.names() == ["B"] and s.orphans == [changed["sha256"][:32] + ".wasm"]
s = opened()  # a restart before it was asked loses nothing
assert s.orphans and s.problems == []
assert bytes(s.read_orphan(s.orphans[0])) == b"a3"
lost = {"name": "A", "version": "3", "schema": "{}", "cycle": 1}
fill()
found["no space to adopt"] = refusal(s.adopt, s.orphans[0], lost)
empty()
s = opened()
assert len(s.orphans) == 1
found["adopted"] = s.adopt(s.orphans[0], lost)["name"] == "A"
assert s.orphans == [] and bytes(opened().read("A")) == b"a3"

# After a replacement, the generation before names a file that is gone: the new one is found again.
s.configure("A", '{"zone": "Bern"}')
replace(s, "A", b"a4", "{}")
rot(newest(entry("A")))
s = opened()
found["rotten after replacement"] = s.problems
assert len(s.orphans) == 1
s.adopt(s.orphans[0], {"name": "A", "version": "4", "schema": "{}", "cycle": 1})
assert (
    bytes(s.read("A")) == b"a4"
    and s.widget("A")["json_config"] == '{"zone": "Bern"}'
    and len(s.problems) == 1
)

# A damaged orphan is given up.
for half in halves(entry("A")):
    rot(half)
rot(wasm(s, "A"))
s = opened()
found["damaged orphan"] = refusal(s.read_orphan, s.orphans[0])
s.give_up(s.orphans[0])
assert s.orphans == opened().orphans == []

# Settings, too.
s.set("ntp", "b.example")
s.set("ntp", "c.example")
rot(newest("system"))
s = opened()
found["rotten settings"] = s.problems
assert s.setting("ntp") == "b.example" and s.config["background_color"] == "#102030"
for half in halves("system"):
    rot(half, b"\xff" * 100)
s = opened()
found["lost settings"] = s.problems
assert s.setting("ntp") == catalogue.SETTINGS["ntp"] and s.names() == ["B"]

# And networks.
s.add_network("work", "87654321")
rot(newest("wifi"))
s = opened()
assert s.networks() == [("home", "12345678")]
found["rotten networks"] = s.problems
for half in halves("wifi"):
    rot(half, b"nonsense")
s = opened()
found["lost networks"] = (s.networks(), s.problems)

# The own network's password is of chance, kept, and made anew when it is damaged.
# If the flash won't take it, it is one for this time.
s = opened()
save = Record.save


def refuse(self, value):
    raise StorageError("the flash is full")


Record.save = refuse
password = s.access_password()
found["own network on a full flash"] = s.problems[-1]
Record.save = save
kept = s.access_password()
found["passwords"] = [password, kept, opened().access_password()]
for half in halves("access"):
    rot(half, b"nonsense")
s = opened()
found["passwords"].append(s.access_password())
found["rotten password"] = s.problems[-1]

# What a newer firmware wrote and this one does not know is kept, and passed over.
install(s, "C", b"c")
s.set_limits("C", {"fuel": 5000})
found["limit"] = [refusal(s.set_limits, "C", {"fule": 1}), refusal(s.set_limits, "C", {"fuel": 0})]
found["limits"] = []
for limits in ({"fuel": 7000, "fule": 1, "deadline_ms": 10**9}, [1], None):
    kept = Record("/f/data", entry("C"))
    value = kept.load()
    value["limits"] = limits
    value["colour"] = "blue"
    if limits is None:
        del value["limits"]
    kept.save(value)
    s = opened()
    found["limits"].append([s.widget("C")["limits"], s.problems])
s.configure("C", '{"a": 1}')
kept = Record("/f/data", "system")
kept.load()
kept.save({"background_color": 7, "settings": {"ntp": 3, "brightness": 50}, "theme": "dark"})
s = opened()
found["unusable settings"] = s.problems
assert s.config["background_color"] == "#000000" and s.setting("ntp") == catalogue.SETTINGS["ntp"]
s.set("store", "http://store")
s = opened()
found["unknown is kept"] = [s.widget("C")["colour"], s.config["theme"], s.config["settings"]["brightness"]]

# The limits have names.
found["long configuration"] = refusal(s.configure, "C", '{"a": "' + "x" * 17000 + '"}')
found["hosts"] = refusal(s.set_hosts, "C", "api.example")
for name in s.names():
    s.remove(name)
for n in range(40):
    install(s, str(n), str(n).encode())
found["too many"] = refusal(install, s, "40", b"forty")
replace(s, "7", b"seven", "{}")
assert opened().names() == [str(n) for n in range(40)]

# A file system that is lost, and made anew, is told.
vfs.umount("/f")
vfs.VfsLfs2.mkfs(ram)
vfs.mount(vfs.VfsLfs2(ram), "/f")
s = opened()
found["lost file system"] = s.problems
assert s.names() == [] and opened().problems == []
print(json.dumps(found))
