"""Set-up of a fresh machine: system packages, the virtual environment, npm packages, reference hosts.

Run as `python3 -m wg.setup STEP`, with the standard library only. Every step is idempotent, keeps its
downloads in the user's cache (`WG_CACHE`) and works without a network once they are there.
"""
