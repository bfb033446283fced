"""What an importer says no to: always with the place and what can be done."""

from platform_site.common.errors import Refusal


class UnreadableFile(Refusal):
    """The file is not a sales file that we can read."""

    status = 422
    code = "unreadable_file"


class AmbiguousFile(Refusal):
    """The file can be read in two ways, and guessing would import wrong orders."""

    status = 422
    code = "ambiguous_file"
