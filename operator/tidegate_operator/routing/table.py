"""The route table: the leader's memory of where the requests of every ModelDeployment go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from time import monotonic

from tidegate_operator.plan.plan import Route

# A router learns routes and clusters by two requests, in any order. Without this rest, a cluster could be
# gone a moment before the route that still names it, and those requests would get 503.
LINGER_SECONDS = 30.0


class RouteTable:
    """Routes by namespace and ModelDeployment; whoever waits for a namespace wakes when it changes."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._routes: dict[str, dict[str, Route]] = {}
        self._lingering: dict[str, dict[str, float]] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._changes: dict[str, int] = {}
        self._withheld: set[str] = set()

    def withhold(self, namespace: str) -> None:
        """What is decided for a namespace can't be read: its routers are told nothing, and keep what they have."""
        self._withheld.add(namespace)

    def release(self, namespace: str) -> None:
        """The routes of a namespace are known."""
        self._withheld.discard(namespace)

    def is_withheld(self, namespace: str) -> bool:
        """Whether the routes of a namespace are not known."""
        return namespace in self._withheld

    def set_route(self, namespace: str, name: str, route: Route | None) -> bool:
        """Put a route in force, or with none take it away; true if that changed anything."""
        routes = self._routes.setdefault(namespace, {})
        before = routes.get(name)
        if before == route:
            return False
        if route is None:
            del routes[name]
        else:
            routes[name] = route
        self._let_linger(namespace, before, route)
        self._changes[namespace] = self.changes_of(namespace) + 1
        self._changed.pop(namespace, asyncio.Event()).set()
        return True

    def route_of(self, namespace: str, name: str) -> Route | None:
        """The route in force."""
        return self._routes.get(namespace, {}).get(name)

    def routes_of(self, namespace: str) -> Mapping[str, Route]:
        """All routes of a namespace by ModelDeployment, in the order of their names."""
        return dict(sorted(self._routes.get(namespace, {}).items()))

    def changes_of(self, namespace: str) -> int:
        """How often the routes of a namespace have changed."""
        return self._changes.get(namespace, 0)

    def revisions_of(self, namespace: str) -> tuple[str, ...]:
        """Every revision that a router of this namespace has to know, those just left included, sorted."""
        now = self._clock()
        lingering = {
            revision: until for revision, until in self._lingering.get(namespace, {}).items() if until > now
        }
        self._lingering[namespace] = lingering
        named = {
            revision for route in self._routes.get(namespace, {}).values() for revision in name_all(route)
        }
        return tuple(sorted(named | set(lingering)))

    async def wait_for_change(self, namespace: str, timeout_seconds: float) -> None:
        """Return when the namespace's routes change, at the latest after the timeout."""
        changed = self._changed.setdefault(namespace, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await changed.wait()

    def _let_linger(self, namespace: str, before: Route | None, after: Route | None) -> None:
        left = set(name_all(before)) - set(name_all(after))
        until = self._clock() + LINGER_SECONDS
        self._lingering.setdefault(namespace, {}).update(dict.fromkeys(left, until))


def name_all(route: Route | None) -> Iterable[str]:
    """The revisions that a route names, stable first."""
    if route is None:
        return ()
    candidate = (route.candidate,) if route.candidate else ()
    return (route.stable, *candidate, *route.warm)
