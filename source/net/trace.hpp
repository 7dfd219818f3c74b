// What became of a request on its way through the program, for the access log and the live page.
#pragma once

#include "net/clock.hpp"

#include <string>
#include <string_view>

namespace causeway::net {

/// What only the live page shows of it.
struct trace_details {
    std::string key = {};             ///< by which its reply is known; empty: no upstream was asked
    clock::time_point queued_at = {}; ///< when it began to wait for its reply; the clock's epoch if it did not
};

/// Filled in where a request waits for its reply, and read where the request is answered: neither side has to know the
/// other.
struct trace {
    std::string_view outcome = {};     ///< a word, in static memory; empty: no upstream was asked
    std::string_view upstream = {};    ///< to which its message was last written; empty: none. The pool's memory
    clock::time_point written_at = {}; ///< when that was; the clock's epoch if there is no upstream
    clock::time_point ended_at = {};   ///< when the wait ended; the clock's epoch if there was none
    clock::time_point read_at = {};    ///< when the request was complete. Set before asking
    trace_details* details = nullptr;  ///< where to note more; null unless that is wanted. Set before asking
};

} // namespace causeway::net
