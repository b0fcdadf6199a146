"""Why a call as a whole failed. What is wrong with one row is a verdict."""


class Failure(Exception):
    """Raised by a hook; `kind` says what the host does next."""

    def __init__(self, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message


def misconfigured(code: str, message: str) -> Failure:
    """Settings or tables are wrong: the job stops until a person acts."""
    return Failure("misconfigured", code, message)


def invalid_input(code: str, message: str) -> Failure:
    """Some row is at fault: the host narrows the call down to it."""
    return Failure("invalid-input", code, message)


def internal(code: str, message: str) -> Failure:
    """A fault of the rule; narrowed likewise."""
    return Failure("internal", code, message)


def told(error: BaseException) -> Failure:
    """What a hook raised, as the host is told: an exception with its type, its
    words and the author's line."""
    if isinstance(error, Failure):
        return error
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        module = trace.tb_frame.f_globals.get("__name__", "")
        if not module.startswith("dvsync_rules"):
            name = code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
            place = f" ({name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return internal("exception", words + place)
