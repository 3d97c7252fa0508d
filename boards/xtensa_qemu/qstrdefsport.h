// No qstr is the port's own.
