"""Feedback: what people say of answers, whom to believe, what to ask next, and files for other tools."""
