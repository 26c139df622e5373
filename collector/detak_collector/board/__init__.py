"""What the page shows, derived anew where something changed."""
