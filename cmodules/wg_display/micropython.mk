# User module `pixels` for ports built with make.
WG_DISPLAY_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(WG_DISPLAY_DIR)/pixels.c $(WG_DISPLAY_DIR)/png.c $(WG_DISPLAY_DIR)/qr.c $(WG_DISPLAY_DIR)/modpixels.c
CFLAGS_USERMOD += -I$(WG_DISPLAY_DIR)
