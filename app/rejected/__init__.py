"""Dead letters for operators: read them, try the present parser on their bytes, and publish what it accepts."""
