/* The real one caches the app for offline use; the stand-in does nothing. */
