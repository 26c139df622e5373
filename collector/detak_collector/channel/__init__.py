"""The way in: TLS, the own authority, who may connect and how much one may ask."""
