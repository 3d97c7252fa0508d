"""The third-party sources: what `tools/third_party.lock` names is fetched, verified, unpacked, patched.

Only the standard library is used: these steps run before the virtual environment exists.

- `lock`: the lock file, read and checked
- `places`: where a source can be had: Debian, PyPI, a git repository
- `download`: the user's cache, filled from the places in their order
- `tree`: unpacked under build/third_party
- `patch`: wasm3's sources with our patches, under build/wasm3
"""
