"""One connection to Redis for each sample: sign in, PING, INFO, all in one round trip."""

from __future__ import annotations

import asyncio
import ssl
import time

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import client_context, refusal
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.redis.connection import Conversation, NotRedisError, Reply, command, hung_up
from detak_agent.checks.kinds.redis.health import Answer, facts_of, judge, trouble
from detak_agent.checks.kinds.redis.kind import RedisSettings
from detak_agent.checks.secrets import SecretReader


class RedisClient:
    """Keeps no connection, since one that stands would hide that new ones are refused."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._context = client_context(verify=settings.verify_tls, ca_file=settings.ca_file) if settings.tls else None
        self._caller = Caller(settings.host, settings.port)
        self._password = SecretReader(settings.password, settings.password_file)

    async def sample(self, deadline_ms: int) -> Outcome:
        patience = patience_s(deadline_ms)
        password = await self._password.read(deadline_ms)
        begin = time.monotonic()
        try:
            replies = await asyncio.wait_for(self._converse(password, begin + patience), patience)
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        except NotRedisError:
            return Outcome("down", f"{self._caller.where} does not speak Redis's protocol")
        except ssl.SSLError as error:
            return Outcome("down", refusal(error, self._caller.where))
        return self._judged(replies, (time.monotonic() - begin) * 1_000)

    async def _converse(self, password: str, until: float) -> list[Reply]:
        connected = await self._caller.connected(until)
        try:
            transport, conversation = await asyncio.get_running_loop().create_connection(
                Conversation,
                sock=connected,
                ssl=self._context,
                server_hostname=self._settings.host if self._context else None,
            )
        except OSError as error:
            connected.close()
            raise error if isinstance(error, ssl.SSLError) else met(error, self._caller.where) from error
        except BaseException:
            connected.close()
            raise
        asked = [command("PING"), command("INFO")]
        if password:
            asked.insert(0, command("AUTH", *([self._settings.user] if self._settings.user else []), password))
        with hung_up(transport):
            try:
                transport.write(b"".join(asked))
                return await conversation.replies(len(asked))
            except OSError as error:
                raise met(error, self._caller.where) from error

    def _judged(self, replies: list[Reply], latency_ms: float) -> Outcome:
        refusals = [trouble(reply, self._settings.user) for reply in replies]
        info = replies[-1]
        if not isinstance(info, str) or "run_id:" not in info:
            said = next((words for words in refusals if words), "its answers are not those of Redis")
            return Outcome("down", f"{self._caller.where} refuses commands: {said}")
        try:
            facts = facts_of(info)
        except (KeyError, ValueError) as error:
            raise CouldNotCheckError(f"INFO of the server cannot be read: {error}") from error
        return judge(Answer("; ".join(filter(None, refusals)), facts, latency_ms), self._settings)
