"""What people say of outages: annotations, acknowledgements, attachments, notes. It never changes a figure."""
