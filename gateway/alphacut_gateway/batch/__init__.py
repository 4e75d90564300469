"""Many images in one request, as a form or a zip; the answers as a zip that grows while they are made."""
