"""The names of the time zones with their rules, from the package tzdata, in the form that the firmware freezes."""
