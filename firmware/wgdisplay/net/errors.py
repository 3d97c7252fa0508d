"""What can go wrong on the network, each an OSError with one sentence for a person."""


class HttpError(OSError):
    """A request that did not end in a response."""


class LostError(HttpError):
    """The server could not be reached, or the connection was lost: another try may do better."""


class ForbiddenError(HttpError):
    """A request to where its widget may not reach."""


class TrustError(HttpError):
    """A server that https does not trust."""
