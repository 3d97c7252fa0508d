"""Updates over the air: what a release is (release), the app slots (slots), what happened to the last update (journal),
downloading and installing (install), the proof of new firmware (trial), the nightly check (nightly).

`docs/ota.md` is the contract with the tools on the PC and with the boot loader.
"""
