"""What errors of object storage say to people: what to do, and nothing of what servers write into theirs."""

from __future__ import annotations

import re

from obstore.exceptions import PermissionDeniedError
from obstore.exceptions import UnauthenticatedError as Unauthenticated

_STATUS = re.compile(r"status code: (\d{3}[ \w-]*)")
_CODE = re.compile(r"<Code>(\w+)</Code>")


def explain_error(error: BaseException) -> str:
    """Why it failed, and what to do; without any secret."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    said = " ".join(found[1].strip() for found in (status, code) if found)
    if code and code[1] == "NoSuchBucket":
        return "there is no such bucket; make it, or correct CIVITAS_STORAGE_URL"
    if isinstance(error, (PermissionDeniedError, Unauthenticated)) or (
        status and status[1].startswith("403")
    ):
        return f"not allowed ({said}); check the AWS_* credentials and the policy of the bucket"
    if isinstance(error, FileNotFoundError):
        return "it is no longer there; start the run again"
    answered = f"the storage answered {said}" if said else "the storage does not answer"
    return f"{answered}, and again when asked once more; nothing is half written, try again later"
