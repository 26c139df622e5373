"""Who is who: accounts, what each role may do, and how a person proves to be the holder of an account."""
