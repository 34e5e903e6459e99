"""Write one static HTML page from real queries on the stores."""
