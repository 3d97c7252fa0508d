# `make firmware`, `make flash PORT=...`: the firmware for the ESP32-S3. Included by the Makefile, after the fragments
# that say what else `firmware` needs (fonts, root certificates).

ESP32S3_DIR := $(CURDIR)/boards/esp32s3
ESP32S3_OUT := $(BUILD)/esp32s3
# The serial port of a board; empty: esptool looks for one.
PORT ?=
ESP32S3_BAUD ?= 460800
ESPTOOL = PYTHONPATH=$(BUILD)/esptool $(PY) -m esptool --chip esp32s3 $(if $(PORT),--port $(PORT)) --baud $(ESP32S3_BAUD)

# Said before anything else is made or fetched.
ifneq ($(filter firmware,$(MAKECMDGOALS)),)
ifneq ($(shell IDF_PATH='$(IDF_PATH)' $(ESP32S3_DIR)/check_idf.sh >&2 && echo there),there)
$(error ESP-IDF is missing, see above)
endif
endif

ESP32S3_KEYS := $(BUILD)/keys/esp32s3
ESP32S3_SOURCES := $(addprefix $(STAMPS)/,venv micropython wasm3-patched) $(FONTS_STAMP) $(ROOTS_STAMP) $(ZONES_STAMP) \
    $(ESP32S3_KEYS)/wgkeys/__init__.py

# The keys whose releases the firmware installs over the air (docs/ota.md). Looked at in every run, written if they changed.
$(ESP32S3_KEYS)/wgkeys/__init__.py: FORCE | $(STAMPS)/venv
	@$(PY) -m wg.release.trust $(ESP32S3_KEYS) $(or $(RELEASE_KEYS),own)

.PHONY: firmware-sources
firmware-sources: $(ESP32S3_SOURCES) ## What the firmware is made of, before ESP-IDF is needed

.PHONY: firmware
firmware: $(ESP32S3_SOURCES) ## The ESP32-S3's firmware: build/esp32s3/firmware.bin (IDF_PATH=)
	@IDF_PATH=$(IDF_PATH) BUILD=$(BUILD) MICROPYTHON_DIR=$(MICROPYTHON_DIR) $(ESP32S3_DIR)/build.sh

.PHONY: installer
installer: $(STAMPS)/venv ## A folder for a web server: firmware, checksums, a page that installs it over USB
	@$(PY) -m wg.installer $(ESP32S3_OUT) $(BUILD)/installer $(ESP32S3_OUT)/release

# Only here, for it comes as source: pip builds it.
$(STAMPS)/esptool: tools/requirements/esptool.txt tools/wg/setup/python.py | $(STAMPS)/venv
	@$(BOOT) wg.setup esptool $(BUILD)/esptool $(PY)
	@touch $@

.PHONY: flash
flash: $(STAMPS)/esptool ## Write build/esp32s3/firmware.bin to a board (PORT=/dev/ttyACM0)
	@[ -f $(ESP32S3_OUT)/firmware.bin ] || { echo "wg: there is no $(ESP32S3_OUT)/firmware.bin: run \`make firmware\`" >&2; exit 1; }
	@$(ESPTOOL) write-flash 0 $(ESP32S3_OUT)/firmware.bin

.PHONY: erase
erase: $(STAMPS)/esptool ## Erase a board's whole flash, with its settings and widgets (PORT=)
	@$(ESPTOOL) erase-flash

.PHONY: monitor
monitor: $(STAMPS)/venv ## A board's prompt (PORT=); Ctrl-] ends it
	@$(VENV)/bin/mpremote connect $(if $(PORT),$(PORT),auto) repl
