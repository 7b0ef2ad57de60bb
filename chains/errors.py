"""What stops us while reading a chain; each message says where, what was found and what to do."""


class ChainError(Exception):
    """Base of every error this package raises on purpose."""


class IdentifierError(ChainError, ValueError):
    """A chain, account, asset or script identifier is malformed or names nothing we know."""


class NetworkDataError(ChainError):
    """A network description, provider list or transcript file is malformed."""


class UnreadableFileError(ChainError):
    """A file that is needed is not there or cannot be read."""


class TransportError(ChainError):
    """A provider could not be reached, took too long, or broke a bound on size or depth."""


class ProviderError(ChainError):
    """A provider answered, and the answer is an error (JSON-RPC error object, HTTP 4xx)."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class InvalidAnswerError(ChainError):
    """A provider answered with something that does not have the promised form."""


class MissingExtraError(ChainError):
    """A feature needs an optional dependency that is not installed."""


class ProofError(ChainError):
    """A proof does not prove what it claims."""
