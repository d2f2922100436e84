"""All watches as the topics have them, so that any replica can answer for any watch: table, entries and pages."""
