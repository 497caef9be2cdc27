"""Looking at results: gene maps over the tissue, one spot, real beside synthetic patches."""
