"""All that is ours in place of the SDK's own, for Singer's messages and command line.

`tests/parts/test_sdk.py` fails when the SDK changes under a private hook, or no longer
needs it.
"""
