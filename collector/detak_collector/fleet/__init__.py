"""Many nodes at once: who is there, who is awaited, what to make of the checks that report. No figure rests on it."""
