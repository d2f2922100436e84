"""When to poll, and whether an account may be called now: intervals, back-off, budgets."""
