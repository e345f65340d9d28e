"""Watching what a released model answers: windows of time beside a reference, rules, alerts, a report."""
