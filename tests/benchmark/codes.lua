-- For wrk: asks for the paths that are given after "--", in turn, and prints what came of it as one line of JSON.
-- wrk's own output is for people: it rounds the bytes, and the check needs them all.

function init(paths)
   if #paths == 1 then
      wrk.path = paths[1] -- without a function "request", wrk sends the same bytes again and calls no Lua
      return
   end
   local requests = {}
   for i, path in ipairs(paths) do
      requests[i] = wrk.format("GET", path)
   end
   local last = 0
   function request()
      last = last % #requests + 1
      return requests[last]
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "microseconds": %d, "socket_errors": %d, "not_2xx": %d}\n',
      summary.requests, summary.bytes, summary.duration,
      errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
