"""What policies find in a preview, in the form that its reports render."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One violation of one rule.

    Attributes:
        rule: The rule's id.
        resource: Name of the resource; empty where it is about the stack.
        message: What is wrong; never a secret.
        fix: What to do.
        mandatory: It ends the preview with a non-zero exit code.
        waived: The reason that the settings give for letting it be; None: it is not waived.
    """

    rule: str
    resource: str
    message: str
    fix: str = ""
    mandatory: bool = False
    waived: str | None = None
