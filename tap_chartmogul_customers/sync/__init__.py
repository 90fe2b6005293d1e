"""How a whole account is read: in ranges at once, resumed, and looked at once more.

`Sync` is the way in. `docs/ranges.md` says why nobody is missed.
"""
