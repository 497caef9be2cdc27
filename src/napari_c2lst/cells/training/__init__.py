"""Training a HoVer-Net on nuclei with outlines and types, and scoring it as its authors do."""
