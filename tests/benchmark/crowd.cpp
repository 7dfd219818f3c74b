// A crowd of clients that asks at a constant rate, whether it is answered or not: wrk asks only as fast as it is
// answered, and `rate` takes every answer but a good one for an error. Here answers are counted by their status.
//
//   crowd PORT PATH CONNECTIONS REQUESTS_PER_SECOND SECONDS MOST_ON_A_CONNECTION SECONDS_PER_LINE
//
// A request goes to the next connection that has fewer than MOST_ON_A_CONNECTION unanswered ones. If none has, it is
// not sent, and counted as held back: so does a client that has no connection left. Its latency counts from the time at
// which it was due. A line of JSON for each SECONDS_PER_LINE says what happened in them:
//
//   {"seconds": s, "held_back": number,
//    "statuses": {"200": {"count": number, "p50": µs, "p99": µs, "max": µs}, …}}
#include "loopback.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void fail(const char* why)
{
    std::fprintf(stderr, "crowd: %s\n", why);
    std::exit(1);
}

// Latencies in steps of three per cent, because a long run has too many of them to be kept.
class histogram {
public:
    void add(nanoseconds latency)
    {
        const auto value = static_cast<std::uint64_t>(std::max<nanoseconds>(latency, steps));
        const auto octave = static_cast<unsigned>(std::bit_width(value) - std::bit_width(std::uint64_t{steps}));
        ++counts_[octave * steps + (value >> octave) - steps];
        ++count_;
        max_ = std::max(max_, latency);
    }

    std::uint64_t count() const { return count_; }
    double max() const { return static_cast<double>(max_) / 1000; } // µs

    // In µs: the upper end of the step that `part` of the latencies do not exceed.
    double quantile(double part) const
    {
        auto left = static_cast<std::int64_t>(part * static_cast<double>(count_));
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            left -= static_cast<std::int64_t>(counts_[i]);
            if (left < 0)
                return std::min(max(), static_cast<double>((i % steps + steps + 1) << (i / steps)) / 1000);
        }
        return max();
    }

private:
    static constexpr std::size_t steps = 32; // in an octave
    std::array<std::uint64_t, steps * 64> counts_{};
    std::uint64_t count_ = 0;
    nanoseconds max_ = 0;
};

struct connection {
    int fd = -1;
    std::deque<nanoseconds> due; // of its unanswered requests
    std::string input;           // that does not make a whole answer yet
};

// Of the answer at the beginning of `input`; 0 when it is not whole.
std::size_t size_of_answer(std::string_view input)
{
    constexpr std::string_view field = "Content-Length: ";
    const auto end = input.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return 0;
    const auto length = input.find(field);
    if (length > end)
        fail("an answer without Content-Length");
    const auto size = end + 4 + std::strtoul(input.data() + length + field.size(), nullptr, 10);
    return size <= input.size() ? size : 0;
}

class crowd {
public:
    crowd(const char* port, const char* path, std::size_t connections, std::size_t most_on_a_connection)
        : request_(std::string("GET ") + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
        , connections_(connections)
        , epoll_(check(epoll_create1(0), "epoll_create1"))
    {
        epoll_event event{};
        event.events = EPOLLIN;
        for (connection& one : connections_) {
            one.fd = connect_to(port);
            event.data.ptr = &one;
            check(epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event), "epoll_ctl");
        }
        for (std::size_t i = 0; i < most_on_a_connection; ++i)
            for (connection& one : connections_)
                places_.push_back(&one);
    }

    bool has_place() const { return !places_.empty(); }

    void ask(nanoseconds due)
    {
        if (!has_place()) {
            ++held_back_;
            return;
        }
        connection& one = *places_.front();
        places_.pop_front();
        const auto sent = send(one.fd, request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent != static_cast<ssize_t>(request_.size()))
            fail("a request was not sent whole: allow fewer of them on a connection");
        one.due.push_back(due);
    }

    // For an answer, or until `end`.
    void wait(nanoseconds end)
    {
        const auto left = std::max<nanoseconds>(end - now(), 0);
        const timespec time{left / 1'000'000'000, left % 1'000'000'000};
        come_ = check(epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &time, nullptr), "epoll");
    }

    void take_answers()
    {
        for (int i = 0; i < come_; ++i)
            read(*static_cast<connection*>(events_[static_cast<std::size_t>(i)].data.ptr));
    }

    // What happened since the last line.
    void report(double seconds)
    {
        std::printf(R"({"seconds": %.3f, "held_back": %zu, "statuses": {)", seconds, held_back_);
        const char* separator = "";
        for (const auto& [status, latencies] : by_status_) {
            std::printf(R"(%s"%s": {"count": %lu, "p50": %.0f, "p99": %.0f, "max": %.0f})", separator, status.c_str(),
                        latencies.count(), latencies.quantile(0.5), latencies.quantile(0.99), latencies.max());
            separator = ", ";
        }
        std::puts("}}");
        std::fflush(stdout);
        by_status_.clear();
        held_back_ = 0;
    }

private:
    void read(connection& one)
    {
        std::array<char, 64 * 1024> buffer;
        const ssize_t size = recv(one.fd, buffer.data(), buffer.size(), 0);
        if (size <= 0)
            fail("a connection was closed");
        one.input.append(buffer.data(), static_cast<std::size_t>(size));
        std::string_view left = one.input;
        for (std::size_t whole; (whole = size_of_answer(left)) != 0; left.remove_prefix(whole)) {
            if (one.due.empty())
                fail("an answer to nothing");
            by_status_[std::string(left.substr(9, 3))].add(now() - one.due.front());
            one.due.pop_front();
            places_.push_back(&one);
        }
        one.input.erase(0, one.input.size() - left.size());
    }

    const std::string request_;
    std::vector<connection> connections_; // does not change any more: epoll has their addresses
    const int epoll_;
    std::array<epoll_event, 256> events_;
    int come_ = 0;
    std::deque<connection*> places_; // each connection once for each further request that it may have
    std::size_t held_back_ = 0;
    std::map<std::string, histogram> by_status_;
};

} // namespace

int main(int argc, char** argv)
{
    if (argc != 8)
        fail("usage: crowd PORT PATH CONNECTIONS REQUESTS_PER_SECOND SECONDS MOST_ON_A_CONNECTION SECONDS_PER_LINE");
    crowd clients(argv[1], argv[2], std::strtoul(argv[3], nullptr, 10), std::strtoul(argv[6], nullptr, 10));
    const double interval = 1e9 / std::atof(argv[4]);
    const double seconds_per_line = std::atof(argv[7]);
    const nanoseconds start = now();
    const nanoseconds end = start + static_cast<nanoseconds>(std::atof(argv[5]) * 1e9);

    std::uint64_t asked = 0;
    const auto next_due = [&] { return start + static_cast<nanoseconds>(static_cast<double>(asked) * interval); };
    nanoseconds line_began = start;
    for (nanoseconds time = start; time < end; time = now()) {
        clients.wait(clients.has_place() ? next_due() : time + 100'000'000);
        // Before the answers are taken: what was due when there was no place is held back.
        for (time = now(); next_due() <= time; ++asked)
            clients.ask(next_due());
        clients.take_answers();
        if (static_cast<double>(time - line_began) >= seconds_per_line * 1e9) {
            clients.report(static_cast<double>(time - line_began) / 1e9);
            line_began = time;
        }
    }
    clients.report(static_cast<double>(now() - line_began) / 1e9);
}
