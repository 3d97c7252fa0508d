# User module `wgconsole` for ports built with make.
SRC_USERMOD_C += $(USERMOD_DIR)/modwgconsole.c
LDFLAGS_USERMOD += -Wl,--wrap=mp_obj_print_exception
