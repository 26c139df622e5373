"""A socket that reaches a collector through a proxy: CONNECT of HTTP/1.1 (RFC 9110, section 9.3.6)."""

from __future__ import annotations

import asyncio
import socket

import h11

from detak_agent.http_answer import AnswerReader, BrokenAnswerError, client
from detak_agent.proxies import Proxy


class ProxyError(Exception):
    """The proxy cannot be reached or does not let us through. The message is for people, without its password."""


async def tunnel(proxy: Proxy, host: str, port: int) -> socket.socket:
    """A connected, non-blocking socket whose other end is `host`; raises ProxyError."""
    connected = await _connected(proxy)
    try:
        await _ask(connected, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except (OSError, BrokenAnswerError) as error:
        connected.close()
        raise ProxyError(f"{proxy.called} does not answer as a proxy does: {error}") from error
    except BaseException:
        connected.close()
        raise
    return connected


def unreachable(proxy: Proxy, error: OSError) -> ProxyError:
    """What became of connecting to the proxy itself."""
    return ProxyError(f"{proxy.called} cannot be reached: {error.strerror or error}")


def wants_password(proxy: Proxy) -> ProxyError:
    """The proxy answered 407."""
    if proxy.authorization:
        return ProxyError(f"{proxy.called} refuses the user and password that stand there (407)")
    return ProxyError(f"{proxy.called} wants a user and password (407): write http://USER:PASSWORD@HOST:PORT")


async def _connected(proxy: Proxy) -> socket.socket:
    loop = asyncio.get_running_loop()
    failure = OSError("it has no address")
    try:
        addresses = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise unreachable(proxy, error) from error
    for family, kind, protocol, _, address in addresses:
        end = socket.socket(family, kind, protocol)
        end.settimeout(0)
        try:
            await loop.sock_connect(end, address)
        except OSError as error:
            end.close()
            failure = error
        except BaseException:
            end.close()
            raise
        else:
            return end
    raise unreachable(proxy, failure)


async def _ask(end: socket.socket, proxy: Proxy, target: str) -> None:
    loop = asyncio.get_running_loop()
    protocol = client()
    request = h11.Request(method="CONNECT", target=target, headers=[("Host", target), *proxy.headers])
    await loop.sock_sendall(end, b"".join(protocol.send(part) or b"" for part in (request, h11.EndOfMessage())))
    answer = AnswerReader(protocol, lambda most: loop.sock_recv(end, most))
    _judge(await answer.head(), proxy, target)
    if answer.left_over:
        raise BrokenAnswerError("something follows its answer")


def _judge(answer: h11.Response | h11.InformationalResponse, proxy: Proxy, target: str) -> None:
    if answer.status_code == 407:
        raise wants_password(proxy)
    if not 200 <= answer.status_code < 300:
        reason = answer.reason.decode("latin-1")
        raise ProxyError(f"{proxy.called} does not let us through to {target}: {answer.status_code} {reason}".rstrip())
