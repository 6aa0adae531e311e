"""The scripts: each does in Redis, undisturbed, what the nodes must agree on.

Whatever a connection brings about is entered twice: in what all nodes have together, from which first and last are
told, and in what its node has, which goes with the node. A node that has been buried in an app enters nothing there
any more, however late its command arrives: it is answered ``GONE``.

A Redis that has no memory left refuses what might take more, unless the script has written before. What adds something
is refused therefore, whole; what takes away or keeps a node alive first deletes what is not there, and is done.
"""

import hashlib


class Script:
    """A Lua script.

    Args:
        text: the script.
    """

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def call(self, keys: tuple[str, ...], *arguments: str | bytes | int) -> tuple[str | bytes | int, ...]:
        """The command that runs it."""
        return ("EVALSHA", self.digest, len(keys), *keys, *arguments)


_REFUSE_THE_DEAD = """
if redis.call('EXISTS', KEYS[#KEYS]) == 1 then return redis.error_reply('GONE This node was taken for lost') end
"""

SUBSCRIBE = Script(
    _REFUSE_THE_DEAD
    + """
local channel, more, limit, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if most > 0 and tonumber(redis.call('HGET', KEYS[1], channel) or 0) >= most then return -1 end
if limit > 0 and redis.call('HEXISTS', KEYS[1], channel) == 0 and redis.call('HLEN', KEYS[1]) >= limit then
  return -1
end
redis.call('HINCRBY', KEYS[2], channel, more)
return redis.call('HINCRBY', KEYS[1], channel, more)
"""
)
"""Keys: counts, node's counts, node's tombstone. Arguments: channel, how many more, most channels or 0, most of
this channel or 0.

Answers how many there are, or -1 when there would be too many.
"""

UNSUBSCRIBE = Script("""
local channel = ARGV[1]
redis.call('HDEL', KEYS[2], '')
local own = tonumber(redis.call('HGET', KEYS[2], channel) or 0)
if own == 0 then return -1 end
if own == 1 then redis.call('HDEL', KEYS[2], channel) else redis.call('HINCRBY', KEYS[2], channel, -1) end
local left = redis.call('HINCRBY', KEYS[1], channel, -1)
if left == 0 then redis.call('HDEL', KEYS[1], channel) end
return left
""")
"""Keys: counts, node's counts. Argument: channel. Answers how many are left, or -1 when the node has none."""

JOIN = Script(
    _REFUSE_THE_DEAD
    + """
local entry, user, info, limit, topic, news, mark = unpack(ARGV)
if redis.call('HEXISTS', KEYS[1], user) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(limit) then return false end
local first = 0
if redis.call('SADD', KEYS[3], entry) == 1 and redis.call('HINCRBY', KEYS[2], user, 1) == 1 then
  first = 1
  redis.call('HSET', KEYS[1], user, info)
  if news ~= '' then redis.call('PUBLISH', topic, news) end
end
if mark == '' then return {first, {}} end
if first == 0 then redis.call('PUBLISH', topic, mark) end
return {first, redis.call('HGETALL', KEYS[1])}
"""
)
"""Keys: members, their connections, node's presence, node's tombstone. Arguments: entry, user, what is said of the
user, most members, topic, what is published there if the user is new, and what otherwise where the members are wanted:
either tells the node what was published before it got them, and what after.

Answers whether the user is new, and the members; nothing when there would be too many.
"""

LEAVE = Script("""
local entry, user, topic, news = unpack(ARGV)
if redis.call('SREM', KEYS[3], entry) == 0 or redis.call('HINCRBY', KEYS[2], user, -1) > 0 then return 0 end
redis.call('HDEL', KEYS[2], user)
redis.call('HDEL', KEYS[1], user)
redis.call('PUBLISH', topic, news)
return 1
""")
"""Keys: members, their connections, node's presence. Arguments: entry, user, topic, what is published if the user is
gone. Answers whether.
"""

SIGN_IN = Script(
    _REFUSE_THE_DEAD
    + """
local entry, user, topic, news = unpack(ARGV)
if redis.call('SADD', KEYS[2], entry) == 0 or redis.call('HINCRBY', KEYS[1], user, 1) > 1 then return 0 end
if news ~= '' then redis.call('PUBLISH', topic, news) end
return 1
"""
)
"""Keys: signed in, node's signed in, node's tombstone. Arguments: entry, user, topic, what is published if the user
had been offline. Answers whether.
"""

SIGN_OUT = Script("""
local entry, user, topic, news = unpack(ARGV)
if redis.call('SREM', KEYS[2], entry) == 0 or redis.call('HINCRBY', KEYS[1], user, -1) > 0 then return 0 end
redis.call('HDEL', KEYS[1], user)
redis.call('PUBLISH', topic, news)
return 1
""")
"""Keys: signed in, node's signed in. Arguments as of ``SIGN_IN``; published if the user is offline now."""

PUBLISH_KEPT = Script("""
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('PUBLISH', ARGV[3], ARGV[1])
""")
"""Keys: kept event. Arguments: event, milliseconds it is kept, topic. What is kept is what was published last."""

CLAIM = Script("""
local earlier = redis.call('GET', KEYS[1])
if earlier then return earlier end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return false
""")
"""Keys: request. Arguments: value, seconds. Answers the value that is there, if there is one."""

FINISH = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SETRANGE', KEYS[1], 0, ARGV[1])
return redis.call('EXPIRE', KEYS[1], ARGV[2])
""")
"""Keys: request. Arguments: what the value is to begin with, seconds."""

TAKE = Script("""
local count, limit, now = tonumber(ARGV[1]), tonumber(ARGV[2]), redis.call('TIME')[1]
local second, taken = unpack(redis.call('HMGET', KEYS[1], 'second', 'taken'))
if second ~= now then taken = 0 end
taken = tonumber(taken)
if taken > 0 and taken + count > limit then return 0 end
redis.call('HSET', KEYS[1], 'second', now, 'taken', taken + count)
redis.call('EXPIRE', KEYS[1], 2)
return 1
""")
"""Keys: rate. Arguments: how much is taken, how much may be in a second. Answers whether it is there to be taken."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

REGISTER = Script(
    _NOW
    + """
local generation, node, lease, claim = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('SET', KEYS[3], generation, 'NX')
redis.call('ZADD', KEYS[1], now + lease, node)
for number = 5, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[number])
  redis.call('ZADD', KEYS[2], now + claim, ARGV[number])
end
return redis.call('GET', KEYS[3])
"""
)
"""Keys: alive, dead, generation. Arguments: a new generation, node, milliseconds of its lease, milliseconds for which
its former selves are its own to bury, their ids. Answers the generation of the data.
"""

HEARTBEAT = Script(
    _NOW
    + """
local node, lease, claim, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
if not redis.call('ZSCORE', KEYS[1], node) then return false end
redis.call('ZREM', KEYS[1], '')
redis.call('ZADD', KEYS[1], now + lease, node)
local claimed = {}
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, most)) do
  redis.call('ZREM', KEYS[1], lost)
  redis.call('ZADD', KEYS[2], now, lost)
end
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 10)) do
  redis.call('ZADD', KEYS[2], now + claim, lost)
  claimed[#claimed + 1] = lost
end
return claimed
"""
)
"""Keys: alive, dead. Arguments: node, milliseconds of its lease, milliseconds for which what it claims is its own, how
many it may take for lost.

Answers the lost nodes that are this one's to bury; nothing when it is itself taken for lost.
"""

ENROLL = Script("""
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return redis.error_reply('GONE This node was taken for lost')
end
return redis.call('SADD', KEYS[2], ARGV[2])
""")
"""Keys: alive, the node's apps. Arguments: node, app. To be done before the node enters anything in the app."""

BURY = Script("""
local prefix, limit, gone_for, removed_mark, offline_mark, watchlist = unpack(ARGV)
redis.call('HDEL', KEYS[4], '')
redis.call('SET', KEYS[7], '1', 'EX', gone_for)
local departed, counts, left = {}, {}, 0
for _, entry in ipairs(redis.call('SPOP', KEYS[5], limit)) do
  local channel, user = string.match(entry, '^[^\\n]*\\n([^\\n]*)\\n(.*)$')
  local members, connections = prefix .. 'members:' .. channel, prefix .. 'connections:' .. channel
  if redis.call('HINCRBY', connections, user, -1) <= 0 then
    redis.call('HDEL', connections, user)
    redis.call('HDEL', members, user)
    redis.call('PUBLISH', prefix .. 'channel:' .. channel, removed_mark .. user)
    departed[#departed + 1] = channel
    departed[#departed + 1] = user
  end
end
for _, entry in ipairs(redis.call('SPOP', KEYS[6], limit)) do
  local user = string.match(entry, '^[^\\n]*\\n(.*)$')
  if redis.call('HINCRBY', KEYS[3], user, -1) <= 0 then
    redis.call('HDEL', KEYS[3], user)
    redis.call('PUBLISH', prefix .. 'channel:' .. watchlist .. user, offline_mark .. user)
  end
end
if redis.call('EXISTS', KEYS[5], KEYS[6]) > 0 then return {1, departed, counts} end
local found = redis.call('HSCAN', KEYS[4], 0, 'COUNT', limit)[2]
for place = 1, #found, 2 do
  local channel = found[place]
  local key = string.sub(channel, 1, 1) == '#' and KEYS[2] or KEYS[1]
  left = redis.call('HINCRBY', key, channel, -found[place + 1])
  if left <= 0 then redis.call('HDEL', key, channel) end
  redis.call('HDEL', KEYS[4], channel)
  counts[#counts + 1] = channel
  counts[#counts + 1] = math.max(left, 0)
end
return {redis.call('EXISTS', KEYS[4]), departed, counts}
""")
"""Keys: counts, own counts, signed in, node's counts, node's presence, node's signed in, node's tombstone. Arguments:
prefix of the app's keys, how much to do at once, seconds the tombstone stays, first bytes of what is published of a
member who is gone and of a user who is offline, prefix of the channel where the latter is.

Takes away part of what a lost node has: members first, so that a channel is vacated after they are gone. Answers
whether there is more, members who are gone as channel and user in turn, counts that changed likewise.
"""

FORGET = Script("""
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[3])
""")
"""Keys: alive, dead, the node's apps. Argument: the node, which has been buried in each of them."""

REHEARSE = Script("""
local key, topic, call = KEYS[1], KEYS[2], redis.call
call('TIME')
call('SET', key, '1', 'PX', 1000)
call('GET', key)
call('PTTL', key)
call('EXPIRE', key, 1)
call('SETRANGE', key, 0, '2')
call('EXISTS', key)
call('DEL', key)
call('HSET', key, 'a', 'b')
call('HINCRBY', key, 'c', 1)
call('HGET', key, 'a')
call('HMGET', key, 'a', 'c')
call('HEXISTS', key, 'a')
call('HLEN', key)
call('HGETALL', key)
call('HSCAN', key, 0)
call('HDEL', key, 'a', 'c')
call('SADD', key, 'a', 'b')
call('SMEMBERS', key)
call('SREM', key, 'a')
call('SPOP', key, 1)
call('ZADD', key, 1, 'a')
call('ZSCORE', key, 'a')
call('ZRANGEBYSCORE', key, 0, 1)
call('ZREM', key, 'a')
return redis.call('PUBLISH', topic, '')
""")
"""Keys: one that nobody has, a Redis channel on which nobody listens. Does once whatever the others do, so that a user
who may not is found out before anything is half done.
"""

ALL_SCRIPTS = (
    SUBSCRIBE,
    UNSUBSCRIBE,
    JOIN,
    LEAVE,
    SIGN_IN,
    SIGN_OUT,
    PUBLISH_KEPT,
    TAKE,
    CLAIM,
    FINISH,
    REGISTER,
    HEARTBEAT,
    ENROLL,
    BURY,
    FORGET,
    REHEARSE,
)
