"""What can go wrong in a way that the caller is told: each kind is a class, its docstring the message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Problem(Exception):
    """The request cannot be answered."""

    status = 400
    # Machine-readable, kebab-case, never changed once published.
    code = "bad-request"
    # Whether what was written before it was raised is kept although the answer is an error.
    keeps = False

    def __init__(
        self, detail: str | None = None, *, errors: Iterable[dict] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        """`errors` are `{"pointer": "/tracks/0", "message": "…"}`; without `detail` the docstring is the message.

        `headers` go out with the answer.
        """
        self.headers = dict(headers or {})
        self.detail = detail or " ".join((type(self).__doc__ or "").split())
        self.errors = list(errors)
        super().__init__(self.detail)

    @property
    def title(self) -> str:
        return self.code.replace("-", " ").capitalize()


class Invalid(Problem):
    """What was sent is not valid."""

    code = "invalid"

    @classmethod
    def at(cls, pointer: str, message: str) -> Invalid:
        """One thing is wrong, at one place of the body."""
        return cls(message, errors=[{"pointer": pointer, "message": message}])


class Missing(Problem):
    """There is no such thing, or you may not see it."""

    status = 404
    code = "not-found"


class Forbidden(Problem):
    """You may not do this."""

    status = 403
    code = "forbidden"


class Conflict(Problem):
    """Somebody was first, or the thing is not in a state that allows this."""

    status = 409
    code = "conflict"


class Gone(Problem):
    """It is too late for this."""

    status = 410
    code = "gone"


class Unusable(Problem):
    """What was sent is well formed, but cannot be used."""

    status = 422
    code = "unusable"


class Overloaded(Problem):
    """There is more to do than can be done at this moment; try again soon."""

    status = 503
    code = "overloaded"
    #: Seconds.
    after_s = 5

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(self.after_s)})


class NoRoom(Problem):
    """There is no room for the file at the moment."""

    status = 507
    code = "no-room"
