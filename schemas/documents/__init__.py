"""The committed documents for readers, generated from the models: JSON Schema, AsyncAPI, OpenAPI."""
