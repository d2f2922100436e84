"""What `schemas.code.ngrams` knows of texts, learned from the corpus."""
