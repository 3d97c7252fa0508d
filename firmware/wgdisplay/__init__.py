"""WG Display for MicroPython: the application that runs on the board."""

VERSION = "0.1.0"
