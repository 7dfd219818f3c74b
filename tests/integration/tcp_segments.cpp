#include "tcp_segments.hpp"

// The kernel's header; glibc's lacks the count, and both in one file clash.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace causeway::test {

std::uint32_t data_segments_received(int socket)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_data_segs_in;
}

} // namespace causeway::test
