-- For wrk: prints what came of a run as one line of JSON. wrk's own output is for people: it rounds the bytes, and the
-- check needs them all.

function done(summary)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "microseconds": %d, "socket_errors": %d, "not_2xx": %d}\n',
      summary.requests, summary.bytes, summary.duration,
      errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
