#include "notify_socket.hpp"

#include "kit.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace causeway::test {
namespace {

void check(bool succeeded, const char* what)
{
    if (!succeeded)
        throw std::system_error(errno, std::generic_category(), what);
}

bool is_status(std::string_view message) { return message.starts_with("STATUS="); }

} // namespace

notify_socket::notify_socket(bool is_abstract)
    : name_((is_abstract ? "@" : "") + directory_.path() + "/notify")
    , socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
{
    check(socket_.number() != -1, "socket");
    constexpr timeval longest{.tv_sec = std::chrono::seconds(patience).count(), .tv_usec = 0};
    check(::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest) == 0, "setsockopt");

    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (is_abstract)
        address.sun_path[0] = '\0';
    const auto size = offsetof(sockaddr_un, sun_path) + name_.size();
    check(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) == 0,
          "bind");
}

std::optional<std::string> notify_socket::receive_with(int flags)
{
    std::array<char, 4096> buffer;
    const auto size = ::recv(socket_.number(), buffer.data(), buffer.size(), flags);
    if (size == -1)
        return std::nullopt;
    return std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::string notify_socket::receive()
{
    auto message = receive_with(0);
    if (!message)
        throw std::runtime_error("the service manager was told nothing");
    return *std::move(message);
}

std::string notify_socket::receive_status()
{
    auto message = receive();
    while (!is_status(message))
        message = receive();
    return message;
}

std::string notify_socket::receive_state()
{
    auto message = receive();
    while (is_status(message))
        message = receive();
    return message;
}

std::string notify_socket::wait_for_status(std::string_view text)
{
    const auto deadline = clock::now() + patience;
    for (auto message = receive_status();; message = receive_status())
        if (message.find(text) != std::string::npos)
            return message;
        else if (clock::now() > deadline)
            throw std::runtime_error("no status with '" + std::string(text) + "'; the last one was " + message);
}

std::optional<std::string> notify_socket::state_at_hand()
{
    auto message = receive_with(MSG_DONTWAIT);
    while (message && is_status(*message))
        message = receive_with(MSG_DONTWAIT);
    return message;
}

void notify_socket::fill()
{
    sockaddr_un address{};
    socklen_t size = sizeof address;
    check(::getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    const descriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    constexpr std::string_view message = "STATUS=in the way";
    while (::sendto(sender.number(), message.data(), message.size(), MSG_DONTWAIT,
                    reinterpret_cast<const sockaddr*>(&address), size) != -1) {
    }
    check(errno == EAGAIN, "sendto");
}

} // namespace causeway::test
