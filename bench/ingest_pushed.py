"""What prometheus-pushgateway is sent in place of a beat: the state and the last sample of each check of a node."""

from __future__ import annotations

from collections.abc import Callable

from ingest_beats import NAMES, node_name


def pushes(nodes: int) -> Callable[[int], bytes]:
    """The push of each node, as a whole request, replacing its group."""
    lines = [f'detak_up{{check="{name}"}} 1\ndetak_last_ms{{check="{name}"}} 1790000005000\n' for name in NAMES]
    states, times = ("".join(line.split("\n")[part] + "\n" for line in lines) for part in (0, 1))
    body = f"# TYPE detak_up gauge\n{states}# TYPE detak_last_ms gauge\n{times}".encode()
    requests = [
        (
            f"PUT /metrics/job/detak/instance/{node_name(at)} HTTP/1.1\r\nHost: 127.0.0.1:9091\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: text/plain\r\n\r\n"
        ).encode()
        + body
        for at in range(nodes)
    ]
    return requests.__getitem__
