"""Firmware releases: images, keys, signed manifests, a server for trying them out, updating a board from the PC.

`docs/ota.md` says what a release is and what a board does with it.
"""
