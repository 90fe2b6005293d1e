"""Every private hook of the SDK that the tap overrides or calls, an idea a file.

`tests/test_sdk.py` fails when the SDK changes under one of them.
"""
