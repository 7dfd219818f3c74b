// Many simultaneous HTTP clients of a started bridge, and what they expect of each answer.
#pragma once

#include "blocking.hpp"
#include "kit.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace causeway::test {

using words = std::vector<std::string>;

inline const words on_a_free_port{"--listen=127.0.0.1:0"};

/// The arguments of a bridge on a free port in front of `upstreams`, and `more`.
words in_front_of(const words& upstreams, const words& more = {});

/// The code server's reply to `code`, with the line feed, and the body that the bridge makes of it.
std::string reply_to(std::string_view code);
std::string body_for(std::string_view code);

/// True for the code server's reply to `code`.
bool is_right(const http_answer& answer, std::string_view code);

/// All codes of the catalogue, and others up to `count`, in any order. None contains a small letter.
words codes_of_all_kinds(std::size_t count);

/// Keep-alive clients, with a request on each of them at the same time.
class parallel_clients {
public:
    parallel_clients(std::uint16_t port, std::size_t count);

    /// Each client asks for the code at its place.
    void send(std::span<const std::string> codes);

    http_answer receive(std::size_t client) { return receive_answer(connections_.at(client)); }

    /// The answers that do not fit their codes.
    words receive_wrong(std::span<const std::string> codes);

    void close() { connections_.clear(); }

private:
    std::vector<connection> connections_;
};

/// A client that keeps its connection, until the bridge closes it.
class keep_alive_client {
public:
    explicit keep_alive_client(const place& server)
        : began_(clock::now())
        , connection_(server)
    {
    }

    /// Asks for `code`. Returns nothing when the bridge has closed the connection as idle, and the request crossed the
    /// close, as can happen with any server (RFC 9112 §9.5): a client that uses GET then asks again on another
    /// connection. The bridge does so during a drain, after an interval between two sweeps without a request. So this
    /// is accepted only if the request was sent later than that after this client had begun to ask for the one before,
    /// or to connect; otherwise it throws `no_answer`.
    std::optional<http_answer> get(std::string_view code);

    std::uint32_t retries() const noexcept { return connection_.retries(); }
    std::string receive_rest() { return connection_.receive_rest(); }

private:
    clock::time_point began_; // asking for the last one, or connecting
    connection connection_;
};

/// An answer, and the question that it belongs to.
struct answered {
    std::string code;
    http_answer answer;
    clock::duration took{};         ///< including the connection, if it needed a new one
    std::uint32_t retries_of_tcp{}; ///< to make the connection that it came on
};

/// Keep-alive clients that ask for one code after the other, without a pause, until they are stopped. When the bridge
/// says `Connection: close`, or closes an idle connection, they check that the connection is closed properly, and then
/// connect again or end, as configured.
class steady_load {
public:
    /// What is wrong with an answer in words, or nothing.
    using judge = std::function<std::string(const answered&)>;

    enum class when_closed { end, connect_again };

    steady_load(const place& server, std::size_t clients, judge what_is_wrong = only_right_answers,
                when_closed then = when_closed::end);

    /// Blocks until `count` more answers have arrived, with this status or with any, or until something was wrong.
    void wait_for_answers(std::size_t count, int status = 0);

    /// Ends it; returns the first thing that was wrong, or an empty text.
    std::string stop();

    /// Blocks until every client has ended on its own; returns the same.
    std::string wait();

    /// How many answers have arrived, with this status or with any.
    std::uint64_t answers(int status = 0) const;

    static std::string only_right_answers(const answered& answered);

private:
    void ask(const place& server, const std::stop_token& stopped);
    void judge_and_count(const answered& answered);

    judge what_is_wrong_;
    when_closed then_;
    std::atomic<bool> wrong_{false};
    mutable std::mutex mutex_;
    std::map<int, std::uint64_t> answers_; // by status, and all of them at 0
    std::string first_wrong_;
    std::vector<std::jthread> clients_;
};

/// For an upstream that is away at times: accepts 200 with the right body, 503, and 504 not before `reply_timeout`,
/// none of them later than `scheduling` allows.
steady_load::judge right_or_refused_in_time(clock::duration reply_timeout,
                                            std::string (*right_body)(std::string_view code) = body_for);

/// A whole number from the environment, to make a test longer or to repeat it.
std::uint64_t from_environment(const char* name, std::uint64_t by_default);

} // namespace causeway::test
