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
    auto written = ::send(descriptor, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written == -1 && errno == ENOTSOCK && write_would_not_wait(descriptor))
        written = ::write(descriptor, line.data(), line.size());
    return written == static_cast<ssize_t>(line.size());
}

} // namespace causeway::service
