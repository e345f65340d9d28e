"""Pretrained bases, the heads put on them, and their tokenizers. Only safetensors, never remote code."""
