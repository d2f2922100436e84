"""The providers, simulated from their own documents, with faults; a book records everything that was sent.

Imports nothing from the other packages: a run is verified by comparing the book with the topic, and a parser shared
with the code under test would share its mistakes.
"""
