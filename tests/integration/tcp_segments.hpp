// How a stream came, as TCP has counted.
#pragma once

#include <cstdint>

namespace causeway::test {

/// Segments with data in them that have come on a TCP socket since it was connected. On loopback without delay that is
/// one for each write of the peer. Throws `std::system_error`.
std::uint32_t data_segments_received(int socket);

/// How many segments the system had to send again because nobody acknowledged them. On a socket that has sent nothing
/// yet these are the ones that begin a connection, the first a second after the attempt that got no answer. Throws
/// `std::system_error`.
std::uint32_t segments_sent_again(int socket);

} // namespace causeway::test
