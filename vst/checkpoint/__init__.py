"""Chunks on disk: plan, store, fingerprint, sink."""
