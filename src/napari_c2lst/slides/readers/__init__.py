"""One file for each kind of input; every reader turns it into a lazy SpatialData and the facts it found."""
