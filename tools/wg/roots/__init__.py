"""The root certificates that https trusts, from the package certifi, in the form that the firmware freezes."""
