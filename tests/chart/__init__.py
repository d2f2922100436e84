"""The Helm chart of deploy/chart: what is generated of it, from settings and contract, and how it is rendered."""
