"""The browser and the page, for all tests of this folder."""

from tests.conformance.browser import address, browser, users_page

__all__ = ["address", "browser", "users_page"]
