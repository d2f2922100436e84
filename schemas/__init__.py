"""The contract: what a message is, how its values are normalized, and what its id is.

Pure: nothing here does I/O, reads a clock or draws a random number. Time comes in as `now_ms`.

- `messages`    the models that we publish, and how they become bytes
- `normalize`   a provider's spelling of numbers, senders, times and unknown fields, made ours
- `code`        the verification code in a text, or none (its forms and words are frozen)
- `identity`    ids that are equal on every path and every repeat
- `topics`      their names, partition counts and retention
- `dead_letter` what is kept of a body that we could not represent or publish
- `timestamps`  the one spelling of a moment
- `documents/`  the committed documents for readers, and what of a change would break a released reader
"""
