"""When to poll, and whether an account may be asked now: schedule, back-off, budgets."""
