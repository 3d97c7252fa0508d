# The tests of releases ask esptool what it thinks of an image. Included by the Makefile.
TEST_NEEDS += $(STAMPS)/esptool
