// What the programs of this folder share: system calls that must succeed, the clock, TCP on this machine.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

/// A time of `now`, or a duration.
using nanoseconds = std::int64_t;

/// Ends the program with a message if `result`, of the system call `what`, is an error; otherwise returns it.
inline int check(int result, const char* what)
{
    if (result < 0) {
        std::perror(what);
        std::exit(1);
    }
    return result;
}

/// The monotonic clock.
inline nanoseconds now()
{
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

/// `port`, in digits, at 127.0.0.1.
inline sockaddr_in loopback(const char* port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Has `socket` send at once what it is given.
inline void do_not_delay(int socket)
{
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// A blocking socket that is connected to `port`.
inline int connect_to(const char* port)
{
    const auto address = loopback(port);
    const int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
    check(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    do_not_delay(fd);
    return fd;
}
