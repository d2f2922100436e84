"""All watches as the topics show them, for replicas that do not run them: the table, its entries and pages."""
