"""What stops a verification; each message says where, what was found and what to do."""


class VerifierError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(VerifierError):
    """A file or argument from outside is malformed; the message names the file and the field."""


class PartitionError(InputError):
    """The same coins are declared in two places; nothing may be counted twice."""


class UnavailableError(VerifierError):
    """A file or a provider that is needed could not be reached."""
