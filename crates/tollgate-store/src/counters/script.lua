-- Counters that several gateways share: the arithmetic of `tollgate-policy`'s counters, in Redis.
-- Whoever changes one changes the other; a test holds them against each other.
--
-- KEYS  take: the counters            book: the mark of the gateway's last batch, then the counters
-- ARGV  what, now ('' is this server's clock), then
--       take: lease, its milliseconds, and for each counter: shape, four numbers, most, amount
--       book: batch, lease's milliseconds, and for each counter: shape, four numbers,
--             place, back, place, back, more, lease
--
-- Shapes: s, a sliding window: slot_ms, slots ago at which `more` is counted.
--         a, a window of the calendar: the moments that part the last, this and the next.
--         o, calls that are being answered.
--
-- A sliding counter is {newest, used, slot, amount, slot, amount, …}, oldest first; one of the
-- calendar {start, end, used}; calls that are being answered are a sorted set of leases by their end.
local KEPT = 61
local MOST = 9007199254740991 -- the largest whole number that a Lua number holds exactly

local what, now, at = ARGV[1], tonumber(ARGV[2]), 3
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function next_text() at = at + 1; return ARGV[at - 1] end
local function next_number() return tonumber(next_text()) end

local function plus(a, b) return math.min(a + b, MOST) end

local function state_of(key)
  local kept = redis.call('GET', key)
  return kept and cmsgpack.unpack(kept)
end

local Sliding = {}

function Sliding.open(key, p)
  local c = { key = key, slot_ms = p[1], ago = p[2], state = state_of(key) or { 0, 0 } }
  local s, slot = c.state, math.floor(now / p[1])
  if slot > s[1] then
    s[1], c.changed = slot, true
    while s[3] and slot - s[3] >= KEPT do
      s[2] = s[2] - s[4]
      table.remove(s, 3)
      table.remove(s, 3)
    end
  end
  return c
end

function Sliding.used(c) return c.state[2] end

function Sliding.add(c, amount)
  local s = c.state
  local slot = s[1] - c.ago
  amount = math.min(amount, MOST - s[2])
  if amount > 0 and c.ago < KEPT and slot >= 0 then
    c.changed = true
    s[2] = s[2] + amount
    local i = #s - 1
    while i >= 3 and s[i] > slot do i = i - 2 end
    if i >= 3 and s[i] == slot then
      s[i + 1] = s[i + 1] + amount
    else
      table.insert(s, i + 2, amount)
      table.insert(s, i + 2, slot)
    end
  end
  return slot
end

function Sliding.give_back(c, slot, amount)
  local s = c.state
  for i = 3, #s, 2 do
    if s[i] == slot then
      amount = math.min(amount, s[i + 1])
      s[i + 1], s[2], c.changed = s[i + 1] - amount, s[2] - amount, true
      if s[i + 1] == 0 then
        table.remove(s, i)
        table.remove(s, i)
      end
      return
    end
  end
end

function Sliding.over(c, slot) return math.max((slot + KEPT) * c.slot_ms - now, 0) end

function Sliding.reset(c)
  local last = c.state[#c.state - 1]
  if #c.state < 3 then return 0 end
  return Sliding.over(c, last)
end

function Sliding.retry(c, amount, most)
  local s = c.state
  local missing = s[2] - (most - amount)
  for i = 3, #s, 2 do
    if s[i + 1] >= missing then return Sliding.over(c, s[i]) end
    missing = missing - s[i + 1]
  end
  return -1
end

function Sliding.close(c)
  if c.changed then
    redis.call('SET', c.key, cmsgpack.pack(c.state), 'PX', (KEPT + 1) * c.slot_ms)
  end
end

local Aligned = {}

function Aligned.open(key, p)
  local c = { key = key, state = state_of(key) or { 0, 0, 0 } }
  local s = c.state
  if now < s[1] or now >= s[2] then
    for i = 1, 3 do
      if p[i] <= now and now < p[i + 1] then
        c.state, c.changed = { p[i], p[i + 1], 0 }, true
        return c
      end
    end
    return nil -- the gateway's clock is further off than a window is long
  end
  return c
end

function Aligned.used(c) return c.state[3] end

function Aligned.add(c, amount)
  if amount > 0 then c.state[3], c.changed = plus(c.state[3], amount), true end
  return c.state[1]
end

function Aligned.give_back(c, start, amount)
  if amount > 0 and start == c.state[1] then
    c.state[3], c.changed = math.max(c.state[3] - amount, 0), true
  end
end

function Aligned.reset(c) return math.max(c.state[2] - now, 0) end
Aligned.retry = Aligned.reset

function Aligned.close(c)
  if c.changed then
    redis.call('SET', c.key, cmsgpack.pack(c.state), 'PX', math.max(c.state[2] - now, 1000))
  end
end

local Open = {}

function Open.open(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  return { key = key }
end

function Open.used(c) return redis.call('ZCARD', c.key) end

function Open.add(c, lease, lease_ms)
  redis.call('ZADD', c.key, string.format('%.0f', now + lease_ms), lease)
  redis.call('PEXPIRE', c.key, string.format('%.0f', lease_ms * 2))
  return 0
end

function Open.leave(c, lease) redis.call('ZREM', c.key, lease) end
function Open.reset() return 0 end
function Open.retry() return -1 end
function Open.close() end

local SHAPES = { s = Sliding, a = Aligned, o = Open }

local function next_counter(key)
  local shape = SHAPES[next_text()]
  local c = shape.open(key, { next_number(), next_number(), next_number(), next_number() })
  return shape, c
end

if what == 'take' then
  local lease, lease_ms = next_text(), next_number()
  local all, room = {}, true
  for i = 1, #KEYS do
    local shape, c = next_counter(KEYS[i])
    local most, amount = next_number(), next_number()
    if not c then return { -1, now } end
    local has = amount == 0 or shape.used(c) + amount <= most
    all[i] = { shape, c, most, amount, has }
    room = room and has
  end
  local said = { room and 1 or 0, now }
  for i = 1, #KEYS do
    local shape, c, most, amount, has = unpack(all[i])
    local place, retry = 0, -1
    if room then
      if shape == Open then Open.add(c, lease, lease_ms) else place = shape.add(c, amount) end
    elseif not has and amount <= most then
      retry = shape.retry(c, amount, most)
    end
    shape.close(c)
    for _, number in ipairs({ has and 1 or 0, place, shape.used(c), shape.reset(c), retry }) do
      said[#said + 1] = number
    end
  end
  return said
end

-- book: a batch that was carried out already, and whose answer was lost, is not carried out again.
local batch, lease_ms = next_number(), next_number()
local again = tonumber(redis.call('GET', KEYS[1]) or '-1') >= batch
local places = { now }
for i = 2, #KEYS do
  local shape, c = next_counter(KEYS[i])
  local last, of_last, first, of_first, more = next_number(), next_number(), next_number(), next_number(), next_number()
  local lease = next_text()
  local place = 0
  if not c then
    place = -1
  elseif shape == Open then
    if more > 0 then Open.add(c, lease, lease_ms) else Open.leave(c, lease) end
  elseif again then
    place = c.state[1]
  else
    shape.give_back(c, last, of_last)
    shape.give_back(c, first, of_first)
    place = shape.add(c, more)
    shape.close(c)
  end
  places[#places + 1] = place
end
redis.call('SET', KEYS[1], string.format('%.0f', batch), 'PX', 86400000)
return places
