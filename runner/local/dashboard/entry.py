"""Who may see the dashboard: an address that works once becomes a session of one browser."""

import secrets
from dataclasses import dataclass, field

# An address is opened at once or not at all; a session lasts a working day.
KEY_S = 600.0
SESSION_S = 12 * 3600.0
MAX_KEYS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser; what it sends back from a form has to carry `form_token`."""

    id: str = field(repr=False)
    form_token: str = field(repr=False)
    ends: float


@dataclass(slots=True)
class Entry:
    """Keys and sessions, in memory alone: a service that starts again lets nobody in."""

    keys: dict[str, float] = field(default_factory=dict, repr=False)
    sessions: dict[str, Session] = field(default_factory=dict, repr=False)

    def invite(self, now: float, key: str | None = None) -> str:
        """A key that lets one browser in once."""
        made = key or secrets.token_urlsafe(24)
        self.keys[made] = now + KEY_S
        while len(self.keys) > MAX_KEYS:
            self.keys.pop(next(iter(self.keys)))
        return made

    def admit(self, key: str, now: float) -> Session | None:
        """Exchange a key for a session; None for one that is unknown, used or too old."""
        ends = self.keys.pop(key, None)
        if ends is None or ends < now:
            return None
        session = Session(
            id=secrets.token_urlsafe(32), form_token=secrets.token_urlsafe(32), ends=now + SESSION_S
        )
        self.sessions = {name: item for name, item in self.sessions.items() if item.ends > now}
        self.sessions[session.id] = session
        return session

    def session(self, session_id: str | None, now: float) -> Session | None:
        """The session of a cookie, while it lasts."""
        session = self.sessions.get(session_id or "")
        return session if session is not None and session.ends > now else None
