"""The simulated board from the PC's side: start it, drive it, look at its panel."""
