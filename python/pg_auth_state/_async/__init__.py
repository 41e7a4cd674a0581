"""The asynchronous client. `_sync` is generated from it by `python/generate_sync.py`."""
