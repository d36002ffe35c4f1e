"""What is declared: every table of CAVE, every dataset, every paper to cite. It imports nothing of ours."""
