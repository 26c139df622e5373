"""What people see of the collector: pages drawn from a Board, and the HTTP they travel on."""
