"""One page that checks a user's proof in a browser, offline."""
