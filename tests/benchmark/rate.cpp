// A client that sends requests at a constant rate, because wrk sends only as fast as it is answered, and so demands
// less of a server just when that is slow. Here each request has a time at which it is due, and its latency counts from
// then: waiting for a free connection is the server's fault too.
//
//   rate PORT PATH REQUESTS_PER_SECOND SECONDS BYTES_PER_ANSWER [CONNECTIONS]
//
// on 64 connections, if no other number is given. It prints
//
//   {"p50": µs, "p99": µs, "p99.9": µs, "answers": number, "errors": number}
#include "loopback.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <vector>

namespace {

struct connection {
    int fd = -1;
    nanoseconds meant = 0; // when its request was due
    std::size_t missing = 0;
};

void set_alarm(int timer, nanoseconds when)
{
    itimerspec alarm{};
    alarm.it_value.tv_sec = when / 1'000'000'000;
    alarm.it_value.tv_nsec = when % 1'000'000'000;
    check(timerfd_settime(timer, TFD_TIMER_ABSTIME, &alarm, nullptr), "timerfd_settime");
}

double microseconds(const std::vector<nanoseconds>& sorted, double part)
{
    if (sorted.empty())
        return 0;
    const auto index = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
    return static_cast<double>(sorted[std::min(index, sorted.size() - 1)]) / 1000;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 6 && argc != 7) {
        std::fputs("usage: rate PORT PATH REQUESTS_PER_SECOND SECONDS BYTES_PER_ANSWER [CONNECTIONS]\n", stderr);
        return 2;
    }
    const std::string request = std::string("GET ") + argv[2] + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const double interval = 1e9 / std::atof(argv[3]);
    const auto total = static_cast<std::size_t>(std::atof(argv[3]) * std::atof(argv[4]));
    const auto answer_size = static_cast<std::size_t>(std::atol(argv[5]));

    std::vector<connection> connections(argc == 7 ? std::strtoul(argv[6], nullptr, 10) : 64);
    std::deque<connection*> idle; // taken in turn, so that all of them are used
    const int epoll = check(epoll_create1(0), "epoll_create1");
    const int timer = check(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr; // the timer
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event), "epoll_ctl");
    for (connection& one : connections) {
        one.fd = connect_to(argv[1]);
        event.data.ptr = &one;
        check(epoll_ctl(epoll, EPOLL_CTL_ADD, one.fd, &event), "epoll_ctl");
        idle.push_back(&one);
    }

    std::vector<nanoseconds> latencies;
    latencies.reserve(total);
    std::size_t sent = 0;
    std::size_t errors = 0;
    std::array<char, 64 * 1024> buffer;
    std::array<epoll_event, 128> events;
    const nanoseconds start = now() + 1'000'000;
    const auto meant = [&](std::size_t i) {
        return start + static_cast<nanoseconds>(static_cast<double>(i) * interval);
    };
    const nanoseconds give_up = meant(total) + 2'000'000'000;

    while (latencies.size() + errors < total && now() < give_up && errors < connections.size()) {
        while (sent < total && !idle.empty() && meant(sent) <= now()) {
            connection& one = *idle.front();
            idle.pop_front();
            one.meant = meant(sent++);
            one.missing = answer_size;
            if (send(one.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
                ++errors;
        }
        // When no connection is free, only an answer can change that.
        set_alarm(timer, sent < total && !idle.empty() ? meant(sent) : give_up);
        const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        const nanoseconds time = now();
        for (int i = 0; i < count; ++i) {
            auto* const one = static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!one)
                continue; // the next alarm sets the timer back
            const ssize_t size = recv(one->fd, buffer.data(), buffer.size(), 0);
            const bool begins = one->missing == answer_size;
            if (size <= 0 || static_cast<std::size_t>(size) > one->missing ||
                (begins && std::strncmp(buffer.data(), "HTTP/1.1 200", 12) != 0)) {
                ++errors; // the connection is not used again
                close(one->fd);
                continue;
            }
            one->missing -= static_cast<std::size_t>(size);
            if (one->missing > 0)
                continue;
            latencies.push_back(time - one->meant);
            idle.push_back(one);
        }
    }

    std::sort(latencies.begin(), latencies.end());
    std::printf(R"({"p50": %.1f, "p99": %.1f, "p99.9": %.1f, "answers": %zu, "errors": %zu})"
                "\n",
                microseconds(latencies, 0.5), microseconds(latencies, 0.99), microseconds(latencies, 0.999),
                latencies.size(), total - latencies.size());
}
