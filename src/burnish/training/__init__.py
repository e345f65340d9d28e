"""Fine-tuning: a generator of steps, and the readers that record, save, stop and judge what it yields."""
