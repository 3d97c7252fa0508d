# Widgets: components in build/widgets, one for each folder with a widget.c. `hello` is the template of
# `wg widget new`; the tests build it.
WIDGETS := $(filter-out hello,$(patsubst widgets/%/widget.c,%,$(sort $(wildcard widgets/*/widget.c))))
WIDGET_FILES := $(WIDGETS:%=$(BUILD)/widgets/%.wasm)

.PHONY: widgets
widgets: $(WIDGET_FILES) ## The widgets, as WebAssembly components in build/widgets

$(BUILD)/widgets/%.wasm: widgets/%/widget.c widgets/%/schema.json $(wildcard widgets/sdk/*.[ch] widgets/wit/*.wit) \
        tools/wg/widget/build.py $(STAMPS)/venv $(STAMPS)/node
	@mkdir -p $(@D)
	@$(WG) widget build widgets/$* -o $@
