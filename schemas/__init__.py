"""The contract: what a message is, how its values are normalized, and what its id is.

Pure: nothing here does I/O, reads a clock or draws a random number. Time comes in as `now_ms`.

- `messages`    the models that we publish, and how they become bytes
- `normalize`   a provider's spelling of numbers, senders, times and unknown fields, made ours
- `code`        the verification code in a text, or none (with `code_forms` and `code_words`: frozen)
- `identity`    ids that are equal on every path and every repeat
- `timestamps`  the one spelling of a moment
- `export`      the committed documents for readers: JSON Schema, AsyncAPI, OpenAPI
- `compatibility`  what of a change would break a released reader
"""
