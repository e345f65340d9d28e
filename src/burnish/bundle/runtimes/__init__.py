"""Runtimes: what computes outputs from features. Each loads what it needs from a bundle's model folder."""
