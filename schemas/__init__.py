"""The contract: what a message is, how its values are normalized, and what its id is.

Pure: nothing here does I/O, reads a clock or draws a random number. Time comes in as `now_ms`.

- `messages`    the models that we publish, and how they become bytes
- `normalize`   a provider's spelling of numbers, senders, times and unknown fields, normalized
- `code`        the verification code in a text, or none (its forms and words are frozen)
- `identity`    ids that are equal on every path and every repeat
- `topics`      their names, partition counts and retention
- `dead_letter` what is kept of a body that could not be represented or published
- `timestamps`  the one spelling of a moment
- `documents/`  the committed documents for readers, and which changes would break a released reader
"""
