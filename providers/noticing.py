"""A fetcher whose user is told of answers of an unknown shape."""

from collections.abc import Callable

from yarl import URL

from providers import shapes
from providers.http_client import Fetcher, RawResponse
from providers.shapes import Sample


class NoticingFetcher:
    """Sends requests as `fetcher` does; calls `notice` with what to keep of each answer of an unknown shape."""

    def __init__(self, fetcher: Fetcher, provider: str, notice: Callable[[Sample], None]) -> None:
        self._fetcher = fetcher
        self._provider = provider
        self._notice = notice

    async def get(self, url: URL) -> RawResponse:
        """Return the response, whatever its status; raises `FetchFailed`."""
        return await self._fetcher.get(url)

    def parsed(self, endpoint: str, response: RawResponse, said: object) -> None:
        """Look at an answer and at what its parser made of it."""
        if sample := shapes.unknown(self._provider, endpoint, response, said):
            self._notice(sample)
