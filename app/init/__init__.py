"""`smsbus init`: the files of an installation on one machine, from answers; written, compared, and installed."""
