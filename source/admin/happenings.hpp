// What has happened in an event loop lately, for the live page.
#pragma once

#include "net/clock.hpp"
#include "upstream/wire_observer.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::admin {

/// A request that has ended. A time is the clock's epoch when that did not happen.
struct sampled_request {
    std::string id = {};            ///< as in the answer; empty without one
    std::uint64_t session = 0;      ///< the number of its connection, of all in this event loop
    std::string key = {};           ///< of its question; empty: nothing was asked
    std::string_view outcome = {};  ///< a word, in static memory; empty: nothing was asked
    std::string upstream = {};      ///< to which its message was written last; empty: to none
    unsigned status = 0;            ///< of its answer; 0 without one
    bool asked_here = false;        ///< on the live page
    clock::time_point began = {};   ///< its first byte was there
    clock::time_point read = {};    ///< its last byte was
    clock::time_point queued = {};  ///< it began to wait
    clock::time_point written = {}; ///< its message was
    clock::time_point matched = {}; ///< the reply was there
    clock::time_point answered = {};
    clock::time_point given_up = {}; ///< instead: its client was gone, or did not take the whole answer
};

/// What happened on a connection to an upstream.
struct wire_happening {
    clock::time_point at;
    upstream::wire_event what{};
    std::string upstream;
    std::string detail; ///< why the connection was lost, or the key of the reply
};

/// Both in the order in which they were noted, which is that of the last time.
struct happenings {
    std::vector<sampled_request> requests;
    std::vector<wire_happening> wires;
    std::size_t dropped = 0; ///< there was no room for so many others, all of them older
};

} // namespace causeway::admin
