# What the firmware freezes besides its own sources: the root certificates, build/roots/wgroots. (Fonts: tools/wg/fonts.)
ROOTS := $(BUILD)/roots
ROOTS_STAMP := $(ROOTS)/wgroots/__init__.py

.PHONY: roots
roots: $(ROOTS_STAMP) ## The root certificates that https trusts

$(ROOTS_STAMP): $(wildcard tools/wg/roots/*.py tools/wg/roots/*.txt) $(STAMPS)/venv
	@PYTHONPATH=tools $(PY) -m wg.roots $(ROOTS)

# Frozen into every board's firmware.
sim sim32 firmware: $(ROOTS_STAMP)
