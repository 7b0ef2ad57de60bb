"""Answers of interfaces that are plain HTTP and JSON: a page that is no JSON is the provider's refusal or its fault."""

from typing import Any

from chains.decode import parse_json
from chains.errors import InvalidAnswerError, ProviderError
from chains.providers import Provider
from chains.transport import Response


def decode_page(provider: Provider, response: Response, what: str = "") -> Any:
    """Return what a page says, of any HTTP status, as long as it is JSON; `what` names it in the error.

    Raises ProviderError for an error page that is no JSON, InvalidAnswerError for another page that is none.
    """
    try:
        return parse_json(response.body)
    except InvalidAnswerError as error:
        if response.status >= 400:
            raise ProviderError(f"{provider.name}: HTTP {response.status}", response.status) from error
        raise InvalidAnswerError(f"{provider.name}: {what}{': ' if what else ''}{error}") from error
