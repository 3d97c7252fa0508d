# What the firmware freezes besides its own sources: the root certificates (build/roots/wgroots) and the time zones
# (build/zones/wgzones). Fonts: tools/wg/fonts.
ROOTS := $(BUILD)/roots
ROOTS_STAMP := $(ROOTS)/wgroots/__init__.py

.PHONY: roots
roots: $(ROOTS_STAMP) ## The root certificates that https trusts

$(ROOTS_STAMP): $(wildcard tools/wg/roots/*.py tools/wg/roots/*.txt) $(STAMPS)/venv
	@PYTHONPATH=tools $(PY) -m wg.roots $(ROOTS)

# Frozen into every board's firmware.
sim sim32 firmware: $(ROOTS_STAMP)

ZONES := $(BUILD)/zones
ZONES_STAMP := $(ZONES)/wgzones/__init__.py

.PHONY: zones
zones: $(ZONES_STAMP) ## The time zones that wg.set("zone", ...) knows by name

$(ZONES_STAMP): $(wildcard tools/wg/zones/*.py) tools/wg/widget/zones.py $(STAMPS)/venv
	@PYTHONPATH=tools $(PY) -m wg.zones $(ZONES)

sim sim32 firmware: $(ZONES_STAMP)
