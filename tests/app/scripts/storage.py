# The storage's refusals and repairs on a small flash in RAM. Prints {what: what was said or found}.
import json
import os

import vfs

from wgdisplay.storage import MAX_WIDGET_BYTES, SchemaError, Storage, StorageError, record


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


ram = Ram(60)
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


def receive(s, content):
    incoming = s.receive()
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
    return sorted(os.listdir("/f/data")), sorted(os.listdir("/f/data/widgets"))


s = opened()
schema = json.dumps({"type": "object", "required": ["zone"], "properties": {"zone": {"type": "string"}}})
install(s, "A", b"aaaa", schema)
before = tree()
found["same name"] = refusal(install, s, "A", b"bbbb")
found["same file"] = refusal(install, s, "B", b"aaaa")
found["empty name"] = refusal(install, s, "", b"cccc")
found["too large"] = refusal(s.receive, MAX_WIDGET_BYTES + 1)
found["no space, known"] = refusal(s.receive, 200 * 1024)
found["no space, found out"] = refusal(receive, s, bytes(200 * 1024))
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
with open("/f/filler", "wb") as f:
    try:
        while True:
            f.write(bytes(512))
            f.flush()
    except OSError:
        pass
s.set_background("#102030")
found["full flash"] = refusal(s.configure, "A", json.dumps({"zone": "x" * 5000}))
found["full flash kept"] = s.widget("A")["json_config"] == '{"zone": "UTC"}'
os.remove("/f/filler")
s.configure("A", json.dumps({"zone": "x" * 5000}))
s.configure("A", '{"zone": "UTC"}')

# The passwords are in their own file only.
with open("/f/data/config.json") as f:
    found["secret in the configuration"] = "12345678" in f.read()

# A rotten widget costs only itself.
install(s, "B", b"bbbb")
with open("/f/data/widgets/" + s.widget("A")["file"], "wb") as f:
    f.write(b"aaxa")
s = opened()
found["rotten widget"] = refusal(s.read, "A")
found["its neighbour"] = bytes(s.read("B")) == b"bbbb"
os.remove("/f/data/widgets/" + s.widget("A")["file"])
s = opened()
found["lost file"] = s.problems
s.remove("A")

# A rotten configuration is set aside and reported; the widgets' files stay.
for rot in (b"", b"wg1 0000\n{}", b"\xff" * 100):
    with open("/f/data/config.json", "wb") as f:
        f.write(rot)
    s = opened()
    found["rotten " + repr(rot[:8])] = s.problems
    assert s.names() == [] and "config.json.bad" in os.listdir("/f/data")
    found["files kept"] = len(os.listdir("/f/data/widgets"))
    assert bytes(s.read_orphan(s.orphans[0])) == b"bbbb"
    assert s.networks() == [("home", "12345678")]

# The file can be a widget again; what is damaged can't.
s.adopt([(s.orphans[0], {"name": "B again", "version": "1", "schema": "{}", "cycle": 1})])
found["adopted"] = bytes(s.read("B again")) == b"bbbb" and s.orphans == [] and opened().names() == ["B again"]
os.remove("/f/data/config.json")
with open("/f/data/config.json", "wb") as f:
    f.write(b"rot")
file = os.listdir("/f/data/widgets")[0]
with open("/f/data/widgets/" + file, "wb") as f:
    f.write(b"bbxb")
s = opened()
found["damaged orphan"] = refusal(s.read_orphan, file)
s.adopt([])
assert os.listdir("/f/data/widgets") == []

# So are networks.
with open("/f/data/wifi.json", "wb") as f:
    f.write(b"nonsense")
s = opened()
found["rotten networks"] = (s.networks(), s.problems)

# The own network's password is of chance, kept, and made anew when it is damaged.
# If the flash won't take it, it is one for this time.
s = opened()
save = record.save


def refuse(path, value):
    raise StorageError("the flash is full")


record.save = refuse
password = s.access_password()
found["own network on a full flash"] = s.problems[-1]
record.save = save
kept = s.access_password()
found["passwords"] = [password, kept, opened().access_password()]
with open("/f/data/access.json", "wb") as f:
    f.write(b"nonsense")
s = opened()
found["passwords"].append(s.access_password())
found["rotten password"] = s.problems[-1]

# Quotas of another firmware's making: what is known and in its range is kept, a widget without any is none the worse.
install(s, "C", b"c")
s.set_limits("C", {"fuel": 5000})
found["limit"] = [refusal(s.set_limits, "C", {"fule": 1}), refusal(s.set_limits, "C", {"fuel": 0})]
found["limits"] = []
for limits in ({"fuel": 7000, "fule": 1, "deadline_ms": 10**9}, [1], None):
    config = s.config
    config["widgets"][0]["limits"] = limits
    if limits is None:
        del config["widgets"][0]["limits"]
    record.save("/f/data/config.json", config)
    s = opened()
    found["limits"].append([s.widget("C")["limits"], s.problems])
print(json.dumps(found))
