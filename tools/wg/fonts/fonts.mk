# The display's fonts, made from outline fonts and frozen into the firmware: build/fonts/wgfonts/*.py.
FONTS := $(BUILD)/fonts
FONTS_DIR := tools/wg/fonts
FONTS_TTF := $(FONTS)/npm/node_modules/dejavu-fonts-ttf/ttf
FONTS_ICONS := $(FONTS)/npm/node_modules/@mdi/font/fonts/materialdesignicons-webfont.ttf
FONTS_STAMP := $(FONTS)/wgfonts/__init__.py

.PHONY: fonts
fonts: $(FONTS_STAMP) ## The display's fonts

$(FONTS)/npm/.complete: $(FONTS_DIR)/package.json $(FONTS_DIR)/package-lock.json $(FONTS_DIR)/.npmrc | $(STAMPS)/system
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline >/dev/null
	@touch $@

$(FONTS_STAMP): $(wildcard $(FONTS_DIR)/*.py) $(FONTS)/npm/.complete $(STAMPS)/venv
	@PYTHONPATH=tools $(PY) -m wg.fonts $(FONTS_TTF) $(FONTS_ICONS) $(FONTS)

# Frozen into every board's firmware.
sim sim32 firmware: $(FONTS_STAMP)
