"""Feedback, and answers to be looked at, as files of spreadsheets and of labelling tools."""
