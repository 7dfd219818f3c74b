// How a stream came, as TCP has counted.
#pragma once

#include <cstdint>

namespace causeway::test {

/// Segments with data in them that have come on a TCP socket since it was connected. On loopback without delay that is
/// one for each write of the peer. Zero when the socket cannot tell.
std::uint32_t data_segments_received(int socket);

} // namespace causeway::test
