#include "service/write_if_room.hpp"

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace causeway::service {
namespace {

// A pipe is writable for poll(2) when it has room for PIPE_BUF bytes (pipe(7)).
bool write_would_not_wait(int descriptor)
{
    if (const int flags = ::fcntl(descriptor, F_GETFL); flags != -1 && (flags & O_NONBLOCK) != 0)
        return true;
    pollfd room{descriptor, POLLOUT, 0};
    return ::poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0;
}

} // namespace

bool write_if_room(int descriptor, std::string_view line) noexcept
{
    return write_what_fits(descriptor, line) == static_cast<ssize_t>(line.size());
}

ssize_t write_what_fits(int descriptor, std::string_view text) noexcept
{
    const auto sent = ::send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent != -1 || errno != ENOTSOCK)
        return sent;
    if (write_would_not_wait(descriptor))
        return ::write(descriptor, text.data(), text.size());
    errno = EAGAIN;
    return -1;
}

} // namespace causeway::service
