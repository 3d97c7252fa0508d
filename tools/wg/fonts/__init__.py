"""Builds the display's fonts from outline fonts; see `build.py`, and `cmodules/wg_display/pixels.h` for the
format.
"""
