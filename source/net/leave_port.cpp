#include "net/leave_port.hpp"

#include "net/socket_option.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace causeway::net {
namespace {

// The kernel prints an address as 32-bit numbers in the machine's byte order, in hexadecimal (proc(5),
// /proc/pid/net/tcp).
template <std::size_t Size>
std::string words_of(const std::array<unsigned char, Size>& address)
{
    std::string text;
    for (const auto word : std::bit_cast<std::array<std::uint32_t, Size / sizeof(std::uint32_t)>>(address))
        text += fmt::format("{:08X}", word);
    return text;
}

std::string as_in_proc(const tcp::endpoint& place)
{
    const auto address = place.address();
    const auto words = address.is_v4() ? words_of(address.to_v4().to_bytes()) : words_of(address.to_v6().to_bytes());
    return fmt::format("{}:{:04X}", words, place.port());
}

} // namespace

std::optional<std::size_t> others_listening_on(const tcp::endpoint& place, std::size_t own)
{
    constexpr std::string_view listening = "0A";
    const auto wanted = as_in_proc(place);
    std::ifstream sockets(place.protocol() == tcp::v4() ? "/proc/self/net/tcp" : "/proc/self/net/tcp6");
    if (!sockets)
        return std::nullopt;
    constexpr auto rest_of_line = std::numeric_limits<std::streamsize>::max();
    sockets.ignore(rest_of_line, '\n'); // the names of the columns
    std::size_t found = 0;
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    while (sockets >> number >> local >> remote >> state && state == listening) {
        found += local == wanted ? 1 : 0;
        sockets.ignore(rest_of_line, '\n');
    }
    return found > own ? found - own : 0;
}

// The kernel asks a packet filter for the number of the socket (socket(7), SO_ATTACH_REUSEPORT_CBPF).
void deal_newcomers(tcp_acceptor& acceptor, sockets_of_port chosen)
{
    constexpr auto random = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM);
    std::array<sock_filter, 4> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, random),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(chosen.count)),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, static_cast<std::uint32_t>(chosen.first)),
        BPF_STMT(BPF_RET | BPF_A, 0),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    constexpr int shared_with_nobody = EINVAL;
    if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) != 0 &&
        errno != shared_with_nobody)
        spdlog::warn("cannot choose who gets new connections: {}",
                     error_code(errno, boost::system::system_category()).message());
}

void deal_newcomers_to_all(tcp_acceptor& acceptor)
{
    error_code nothing_was_chosen;
    acceptor.set_option(integer_option<SOL_SOCKET, SO_DETACH_REUSEPORT_BPF>(1), nothing_was_chosen);
}

// A listening socket that is bound to one network interface is not found for segments from another, and there is no
// interface with this number. A client in the middle of its handshake is found earlier, by its own addresses.
void refuse_newcomers(tcp_acceptor& acceptor)
{
    constexpr int nowhere = std::numeric_limits<int>::max();
    error_code not_possible;
    acceptor.set_option(integer_option<SOL_SOCKET, SO_BINDTOIFINDEX>(nowhere), not_possible);
    if (not_possible)
        ignore_newcomers(acceptor);
}

// A packet filter on this one socket, which sees TCP headers (RFC 9293 §3.1): a segment with SYN and without ACK is
// dropped. The connections that are accepted inherit it; none of their segments has SYN alone.
void ignore_newcomers(tcp_acceptor& acceptor)
{
    constexpr std::uint32_t flags = 13; // offset in the header
    constexpr std::uint32_t syn = 0x02;
    constexpr std::uint32_t ack = 0x10;
    constexpr std::uint32_t pass = 0xffffffff;
    constexpr std::uint32_t drop = 0;
    std::array<sock_filter, 5> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn | ack),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, drop),
        BPF_STMT(BPF_RET | BPF_K, pass),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0)
        spdlog::warn("cannot keep out new connections before the last ones are accepted: {}",
                     error_code(errno, boost::system::system_category()).message());
}

bool kernel_hands_over_connections()
{
    std::ifstream setting("/proc/sys/net/ipv4/tcp_migrate_req");
    int value = 0;
    return static_cast<bool>(setting >> value) && value == 1;
}

std::chrono::microseconds handshake_time(tcp_socket& accepted)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(accepted.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return {};
    return std::chrono::microseconds(info.tcpi_rtt);
}

} // namespace causeway::net
