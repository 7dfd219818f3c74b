// The codes as a protocol of the engine.
#pragma once

#include "protocols/codes/code.hpp"
#include "upstream/protocol.hpp"

namespace causeway::codes {

/// Asks for `code`. The text for a code depends on the code alone, so the message may be written again.
upstream::question question_for(code code);

/// Lines that name their code; see the README. Equal codes share their replies. The probe is a well-known code, a
/// different one on each connection. There is no greeting and no heartbeat.
upstream::protocol protocol();

} // namespace causeway::codes
