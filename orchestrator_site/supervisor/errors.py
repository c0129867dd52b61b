"""Why the platform does not run."""


class SupervisorError(Exception):
    """Nothing can be started, or go on running; the message is for the person at the terminal."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
