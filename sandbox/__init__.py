"""The providers, simulated from their own documents, with their bad days; each keeps a book of what it sent.

Nothing of ours is imported here: a run is reconciled book against topic, and a parser shared with the code under test
would share its mistakes.
"""
