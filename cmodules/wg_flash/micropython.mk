# LittleFS with even wear, for ports built with make; see lfs_cycles.c.
WG_FLASH_DIR := $(USERMOD_DIR)
SRC_USERMOD_LIB_C += $(WG_FLASH_DIR)/lfs_cycles.c
LDFLAGS_USERMOD += -Wl,--wrap=lfs2_mount -Wl,--wrap=lfs2_format
