"""What can go wrong with a widget, as a small hierarchy that has the engine's names.

Every message is one sentence or two, short enough for the display, that says what happened and, where the reader can
do something about it, what. It doesn't name the widget: whoever shows or logs the error knows which one it was.
"""


class WidgetError(Exception):
    """Base of everything that the runtime raises about a widget. `args[0]` is the sentence."""

    # A word for programs: the class of the error where nothing finer is known.
    kind = "error"

    def __init__(self, message, kind=None):
        super().__init__(message)
        if kind:
            self.kind = kind


class MalformedError(WidgetError):
    """The bytes are no widget: cut off, damaged or of another format."""

    kind = "malformed"


class InvalidError(WidgetError):
    """The bytes can be read and break a rule of WebAssembly's validation."""

    kind = "invalid"


class UnsupportedError(WidgetError):
    """A genuine file that asks for something this runtime doesn't have (WASI, resources, a precompiled artefact...)."""

    kind = "unsupported"


class LinkError(WidgetError):
    """The widget and the world `widget:widget/widget` don't fit: an import or export is missing or has another type."""

    kind = "link"


class TrapError(WidgetError):
    """The widget's code trapped, or broke a rule of the canonical ABI. Its instance is gone.

    kind: the specification's name of the trap, where the code trapped. function: its name, if it has one.
    """

    kind = "trap"

    def __init__(self, message, kind=None, function=None):
        super().__init__(message, kind)
        self.function = function


class QuotaError(WidgetError):
    """The widget used up one of its quotas (limits.py), or the run was cancelled (kind "cancelled")."""

    kind = "quota"


class HostError(WidgetError):
    """The board failed, not the widget: no memory for an instance, or an exception in a host function."""

    kind = "host"
