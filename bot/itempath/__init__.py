"""The client of ItemPath's API on connections: what is asked, what is answered, and what can go wrong in between."""
