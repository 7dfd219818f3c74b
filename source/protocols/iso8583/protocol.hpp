// ISO 8583 as a protocol of the engine: one permanent connection to a host, with sign-on and keep-alive.
#pragma once

#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/frame.hpp"
#include "protocols/iso8583/matching.hpp"
#include "protocols/iso8583/message.hpp"
#include "upstream/protocol.hpp"

#include <chrono>

namespace causeway::iso8583 {

/// What a host and the bridge have agreed on. A value; any thread may use its own copy.
struct settings {
    iso8583::dialect dialect;
    iso8583::framing framing = {};
    iso8583::key_fields key_fields = {};
    bool signs_on = true; ///< if not, a connection takes questions at once
    std::chrono::nanoseconds late_replies =
        std::chrono::seconds(120); ///< how long after its timeout a reply may still arrive
    std::chrono::nanoseconds echo_after = std::chrono::seconds(30); ///< of quiet; zero: no echo test at all
};

/// The time of day for field 7 of the bridge's own messages.
using time_of_day = std::chrono::system_clock::time_point (*)();

/// The question that asks `message`, which is never written twice. A problem when it asks for no reply, see `key_for`,
/// when the dialect cannot express it, or when it is too long for a frame.
result<upstream::question> question_for(const message& message, const settings& settings);

/// Each key belongs to one request. The bridge's own messages are 0800 with fields 7, 11 and 70:
///
/// - The greeting is a sign-on (70 = 001); the connection takes questions when an 0810 with 39 = 00 has arrived. Any
///   other response code is a refusal and ends the connection.
/// - Heartbeat and probe are echo tests (70 = 301). Any 0810 in reply shows that the host is alive, whatever its
///   response code.
///
/// The host's own 0800 with 70 = 001, 002 or 301 is answered with an 0810: 39 = 00, and the fields to be echoed. Any
/// other unsolicited message is a message for which no request waits. A message that the dialect cannot read is
/// `unreadable`, and shows the number of a field and no content.
///
/// Throws `std::invalid_argument` when the dialect cannot express the bridge's own messages.
upstream::protocol protocol(const settings& settings, time_of_day now = std::chrono::system_clock::now);

} // namespace causeway::iso8583
