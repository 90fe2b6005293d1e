"""What replaces parts of the SDK, for Singer's messages and the command line.

`tests/parts/test_sdk.py` fails when the SDK changes under a private hook, or no longer
needs it.
"""
