-- For wrk: asks for the paths that are given after "--", in turn.

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

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "done.lua")
