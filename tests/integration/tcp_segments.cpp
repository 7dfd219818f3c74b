#include "tcp_segments.hpp"

// The kernel's header; glibc's lacks a count, and both in one file clash.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace causeway::test {
namespace {

tcp_info info_of(int socket)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        throw std::system_error(errno, std::generic_category(), "getsockopt");
    return info;
}

} // namespace

std::uint32_t data_segments_received(int socket) { return info_of(socket).tcpi_data_segs_in; }

std::uint32_t segments_sent_again(int socket) { return info_of(socket).tcpi_total_retrans; }

} // namespace causeway::test
