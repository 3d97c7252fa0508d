"""The Xtensa compiler, its libraries and QEMU, from Debian packages, for the board boards/xtensa_qemu."""
