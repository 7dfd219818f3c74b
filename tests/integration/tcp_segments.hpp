// How a stream arrived, according to TCP's counters.
#pragma once

#include <cstdint>

namespace causeway::test {

/// Segments with data that a TCP socket has received since it was connected. On loopback without delay that is one for
/// each write of the peer. Throws `std::system_error`.
std::uint32_t data_segments_received(int socket);

/// How many segments the system had to retransmit because they were not acknowledged. On a socket that has sent no data
/// yet these are SYN segments, the first a second after the attempt that got no answer. Throws `std::system_error`.
std::uint32_t segments_sent_again(int socket);

} // namespace causeway::test
