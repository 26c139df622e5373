"""The language of what people read: sentences by gettext catalogues, numbers and dates as the language has them.

The list of languages stands here alone, so that a command line can offer them without loading what speaks them.
"""

LANGUAGES = ("en", "id")

ENGLISH = "en"
"""The language of the code, and of whoever says nothing else."""

LANGUAGE_NAMES = {"id": "Bahasa Indonesia", "en": "English"}
"""What each calls itself."""
