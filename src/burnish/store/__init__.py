"""The store: one database of releases, keys, predictions, feedback, alerts, jobs and an audit log."""
