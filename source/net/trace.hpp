// What became of a request on its way through the program, for whoever logs it.
#pragma once

#include "net/clock.hpp"

#include <string_view>

namespace causeway::net {

/// Filled in by whoever waits for a request's reply, and read by whoever answers the request: neither has to know the
/// other.
struct trace {
    std::string_view outcome = {};     ///< a word, in static memory; empty: nothing was asked
    std::string_view upstream = {};    ///< to which its message was written last; empty: to none. The pool's memory
    clock::time_point written_at = {}; ///< then; counts only when there is an upstream
    clock::time_point ended_at = {};   ///< when the wait ended; the clock's epoch: there was none
    clock::time_point read_at = {};    ///< when the request was there. Set by who asks, before that
};

} // namespace causeway::net
