"""The display: `Screen` draws, `PanelError` says what is wrong with the board's settings."""

from .panel import PanelError
from .screen import Screen

__all__ = ("PanelError", "Screen")
