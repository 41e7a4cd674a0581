"""The synchronous client, generated from `_async` by `python/generate_sync.py`."""
