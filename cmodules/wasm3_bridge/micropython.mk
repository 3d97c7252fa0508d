# The engine as a user C module of MicroPython's make builds. WASM3_SRC: wasm3's sources with our patches.
WG_ENGINE_DIR := $(USERMOD_DIR)
WASM3_SRC ?= $(abspath $(WG_ENGINE_DIR)/../../build/wasm3/current)

include $(WG_ENGINE_DIR)/flags.mk

WG_ENGINE_OBJECTS := engine module heap task
# Those files that this version of wasm3 has.
WG_WASM3_OBJECTS = $(foreach n,$(WG_WASM3_NAMES),$(patsubst $(WASM3_SRC)/%.c,%,$(wildcard $(WASM3_SRC)/m3_$(n).c)))

# The glue is scanned for qstrs, the rest is not.
SRC_USERMOD_C += $(WG_ENGINE_DIR)/modwasm3.c $(WG_ENGINE_DIR)/buffer.c
SRC_USERMOD_LIB_C += $(addprefix $(WG_ENGINE_DIR)/,$(addsuffix .c,$(WG_ENGINE_OBJECTS)))
ifneq ($(wildcard $(WG_ENGINE_DIR)/validate.c),)
SRC_USERMOD_LIB_C += $(WG_ENGINE_DIR)/validate.c
endif

LDFLAGS_USERMOD += -lpthread -lm

# wasm3's sources are outside of MicroPython's tree: compiled by a rule of their own, with flags that are theirs alone.
WG_WASM3_BUILD = $(BUILD)/wasm3
# Another version's files are older or newer as it happens: what was compiled from one is of no use for the other.
WG_WASM3_FROM := $(notdir $(realpath $(WASM3_SRC)))
ifneq ($(WG_WASM3_FROM),$(file <$(WG_WASM3_BUILD)/from))
$(shell mkdir -p $(WG_WASM3_BUILD) && rm -f $(WG_WASM3_BUILD)/*.o $(BUILD)/wasm3_bridge/*.o && echo $(WG_WASM3_FROM) >$(WG_WASM3_BUILD)/from)
endif
PY_O += $(addprefix $(WG_WASM3_BUILD)/,$(addsuffix .o,$(WG_WASM3_OBJECTS)))

$(WG_WASM3_BUILD)/%.o: $(WASM3_SRC)/%.c $(WG_ENGINE_DIR)/flags.mk $(WG_ENGINE_DIR)/micropython.mk
	$(ECHO) "CC $<"
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(WG_WASM3_CFLAGS) $(WG_MACHINE_CFLAGS) -c -MMD -MP -MF $(@:.o=.d) -o $@ $<

# On Xtensa what counts in wasm3's compiler is its stack: 192 bytes for each block within a block, instead of 224.
$(WG_WASM3_BUILD)/m3_compile.o: WG_MACHINE_CFLAGS += $(if $(WG_XTENSA),-O2)

# The handlers, and on Xtensa the ways between them and all else. They are the last to come, so that both are there.
PY_O += $(if $(WG_WAYS),$(WG_WASM3_BUILD)/ways.o)

$(WG_WASM3_BUILD)/m3_exec.o: $(WASM3_SRC)/m3_exec.c $(WG_ENGINE_DIR)/flags.mk $(WG_HANDLERS_NEEDS) \
        $(if $(WG_WAYS),$(WG_WASM3_BUILD)/ways.o)
	$(ECHO) "CC $<"
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(WG_WASM3_CFLAGS) $(WG_MACHINE_CFLAGS) $(WG_HANDLERS_CFLAGS) -c -MMD -MP -MF $(@:.o=.d) -o $@ $<
	$(Q)$(call wg_check_handlers,$(CC),$@ $(filter %/ways.o,$^)) || { rm -f $@; exit 1; }

$(WG_WASM3_BUILD)/ways.o: $(WG_WAYS) $(WG_HANDLERS_NEEDS)
	$(ECHO) "AS $<"
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(WG_MACHINE_CFLAGS) -c -o $@ $<

-include $(addprefix $(WG_WASM3_BUILD)/,$(addsuffix .d,$(WG_WASM3_OBJECTS)))

# No flag of ours goes to MicroPython's objects: names like module.h and task.h are in their include path too.
%/wasm3_bridge/engine.o %/wasm3_bridge/module.o: CFLAGS += $(WG_ENGINE_CFLAGS) -isystem $(WASM3_SRC)
%/wasm3_bridge/modwasm3.o: CFLAGS += -DWG_WASM3_VERSION='"$(shell sed -n 's/.*M3_VERSION  *"\(.*\)"/\1/p' $(WASM3_SRC)/wasm3.h)"'
