# User module `wgrelease` for ports built with make; without Mbed TLS it is empty.
WG_RELEASE_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(WG_RELEASE_DIR)/modwgrelease.c
