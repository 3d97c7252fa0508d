"""Catalogues of widgets: the store that a display reads."""
