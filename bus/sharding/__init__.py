"""Who polls which watches: requests and their group, and the log of states with its fence."""
