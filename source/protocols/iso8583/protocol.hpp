// ISO 8583 as a protocol of the engine: one permanent connection to a host, which is signed on to and kept awake.
#pragma once

#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/frame.hpp"
#include "protocols/iso8583/matching.hpp"
#include "protocols/iso8583/message.hpp"
#include "upstream/protocol.hpp"

#include <chrono>

namespace causeway::iso8583 {

/// What a host and the bridge have agreed upon. A value; any thread may use its own copy.
struct settings {
    iso8583::dialect dialect;
    iso8583::framing framing = {};
    iso8583::key_fields key_fields = {};
    bool signs_on = true; ///< otherwise a connection takes questions at once
    std::chrono::nanoseconds late_replies = std::chrono::seconds(120); ///< how long a reply may come after its timeout
    std::chrono::nanoseconds echo_after = std::chrono::seconds(30);    ///< of quiet; zero: no echo test at all
};

/// The time of day that the bridge's own messages tell in field 7.
using time_of_day = std::chrono::system_clock::time_point (*)();

/// Asks `message`, which is never written twice. A problem when it is none that asks for a reply, see `key_for`, when
/// the dialect has no words for it, or it is too long for a frame.
result<upstream::question> question_for(const message& message, const settings& settings);

/// Each key belongs to one request. The bridge's own words are 0800 messages with fields 7, 11 and 70:
///
/// - To greet it signs on (70 = 001), and the connection takes questions when an 0810 with 39 = 00 has come. Any other
///   response code is a refusal and ends the connection.
/// - To keep a quiet connection awake, and to find out whether a silent one works, it sends an echo test (70 = 301).
///   Any 0810 to it shows that the host lives, whatever its response code.
///
/// The host's own 0800 with 70 = 001, 002 or 301 is answered with an 0810: 39 = 00, and what is to be echoed.
/// Whatever else comes unasked is a message that nobody waits for. What the dialect cannot read is `unreadable`, and
/// shows the number of a field and no content.
///
/// Throws `std::invalid_argument` when the dialect has no words for the bridge's own messages.
upstream::protocol protocol(const settings& settings, time_of_day now = std::chrono::system_clock::now);

} // namespace causeway::iso8583
