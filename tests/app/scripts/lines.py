# A widget that logs without end, beside the firmware's own lines. Prints what is kept.
import json

from wgdisplay.log import DEBUG, INFO, WARN, Log

kept = Log(capacity=10)
for i in range(4):
    kept.info("app", f"line {i}")
for i in range(1000):
    kept.add(DEBUG, "flood", f"noise {i}", True)
kept.add(WARN, "app", "x" * 500)
kept.add(99, "app", "strange level")
found = {
    "all": [(line[2], line[3]) for line in kept.lines()],
    "app": [line[3] for line in kept.lines(source="app")],
    "last": [line[3] for line in kept.lines(2)],
    "warnings": len(kept.lines(level=WARN)),
    "info": len(kept.lines(level=INFO)),
    "count": kept.count,
}
print(json.dumps(found))
