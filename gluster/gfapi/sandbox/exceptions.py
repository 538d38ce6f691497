"""What goes wrong with a sandbox."""


class SandboxError(RuntimeError):
    """A sandbox could not do what was asked. Its text is one sentence that says why."""
