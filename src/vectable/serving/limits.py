"""What one request, one connection and all of them together may take."""

from dataclasses import dataclass

LONGEST_LIST = 1_000  # items of a list
LONGEST_REASONED = 100  # items of a list with reasons
MOST_USERS = 1_000  # in one request
MOST_RATINGS = 1_000  # of a basket
MOST_ROWS = 10_000  # to predict
MOST_COLUMNS = 1_000  # of what is known of a new user
MOST_CANDIDATES = 10_000  # names that a list is limited to, or leaves out
LONGEST_NAME = 1_000  # characters
MOST_SCORES = 100_000_000  # users x items that one request may rank

CONNECTIONS = 1_000  # of one worker; the one that has been idle for longest makes room for a new one
HEAD_BYTES = 32_768  # of a request's line and headers
HEAD_SECONDS = 10.0  # from a request's first byte, or from the connection, to the end of its headers
IDLE_SECONDS = 75  # between two requests of a connection; proxies keep theirs for 60
STOP_SECONDS = 10  # that requests in flight have to end after SIGTERM

FORM_BYTES = 4_096  # of a form around each file


@dataclass(frozen=True)
class Limits:
    """Limits of requests that an application holds.

    Attributes:
        body_bytes: longest body of a request.
        seconds: from a request's headers to the beginning of its answer.
        write_seconds: that the client has to take the answer.
        in_flight: requests under way at once; beyond them the answer is 503.
        long_waiting: long requests (of many users, rows or items) that wait for one of the two threads.
        quick_scores: users x items up to which a request is answered at once, on the event loop.
        quick_rows: rows to predict up to which it is.
        photographs: in one request.
        photograph_bytes: of one file.
        photograph_pixels: of one photograph.
        uploads: requests with photographs under way at once; beyond them the answer is 503.
    """

    body_bytes: int = 8_000_000
    seconds: float = 10.0
    write_seconds: float = 60.0
    in_flight: int = 256
    long_waiting: int = 32
    quick_scores: int = 50_000
    quick_rows: int = 100
    photographs: int = 20
    photograph_bytes: int = 10_000_000
    photograph_pixels: int = 50_000_000
    uploads: int = 4

    def longest_body(self, path: str) -> int:
        """Bytes that the body of a request to a path may have."""
        if not path.endswith("/classify"):
            return self.body_bytes
        return self.photographs * (self.photograph_bytes + FORM_BYTES)
