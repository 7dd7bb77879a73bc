/**
 * Brings a list of finals up to date: one step that nobody comes in between of, and that may be repeated.
 *
 * KEYS: the list; which session it belongs to.
 * ARGV: the session's mark, a number that is higher for a later session of the same name; time to live in ms; index of the first given final; then for each final its revision and
 * its JSON. Finals beyond the end of the list are appended, those in it replaced where theirs is the newer revision.
 *
 * Replies with the length of the list. Below the index of the first given final nothing was appended: the list was
 * lost, or belonged to an earlier session of the same name and was deleted. For a session that has a later one nothing
 * is done, as if it were done already.
 */
export const APPEND = `
local list, owner = KEYS[1], KEYS[2]
local mark, ttl, from = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local owned = redis.call('GET', owner)
if owned and tonumber(owned) > tonumber(mark) then return from + (#ARGV - 3) / 2 end
if owned ~= mark then redis.call('DEL', list) end
redis.call('SET', owner, mark, 'PX', ttl)
local length = redis.call('LLEN', list)
if length >= from then
  for i = 4, #ARGV, 2 do
    local index, revision, final = from + (i - 4) / 2, tonumber(ARGV[i]), ARGV[i + 1]
    if index >= length then
      length = redis.call('RPUSH', list, final)
    elseif revision > 1 then
      local old = cjson.decode(redis.call('LINDEX', list, index))
      if old.revision < revision then redis.call('LSET', list, index, final) end
    end
  end
end
redis.call('PEXPIRE', list, ttl)
return length
`
