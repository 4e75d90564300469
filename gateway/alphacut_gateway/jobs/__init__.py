"""Images that are accepted now and fetched later."""
