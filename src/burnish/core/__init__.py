"""The nouns and ground rules that every other room stands on. Nothing heavy is imported here."""
