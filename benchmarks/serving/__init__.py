"""What benchmarks/serving.py is made of: a load generator, an installation of its own, and a file for each part."""
