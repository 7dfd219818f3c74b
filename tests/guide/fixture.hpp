// What the checks of the guide's steps are made of.
#pragma once

#include "../integration/blocking.hpp"
#include "../integration/process.hpp"
#include "backend.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace causeway::guide {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using test::connection;
using test::get;
using test::receive_answer;
using test::send_request;
using test::wait_until;

/// Longer than any check lasts: for those that no deadline may disturb.
constexpr auto no_deadline = 60s;

/// The program that this run of the checks is about, `causeway_guide_checks … -- PROGRAM`: a step, or `causeway`.
std::string program_under_test();

/// The bounds of the steps from the seventh on, which the real program is given too: messages on their way, and
/// requests that wait.
constexpr std::size_t window = 64;
constexpr std::size_t most_waiting = 256;

/// Its arguments for a free port and this backend. Steps before the third have no timeout, those before the eighth one
/// loop, and ignore what they are told of it.
std::vector<std::string> arguments_for(const backend& backend, std::chrono::milliseconds reply_timeout,
                                       std::size_t loops);

/// The program under test, on a backend that does what the check says. `port` is where its clients connect.
struct step : test::server_process {
    explicit step(const backend& backend, std::chrono::milliseconds reply_timeout = no_deadline,
                  const std::string& program = program_under_test(), std::size_t loops = 1);

    /// Stops it once it has done all that it had to do, and returns when it stands still. A busy machine may do that at
    /// any time.
    void freeze();
    void go_on() { signal(SIGCONT); }
};

/// A backend and the program under test on it, without a deadline.
struct fixture {
    guide::backend backend;
    guide::step step{backend};
    std::uint16_t port = step.port();
};

/// The whole line that a backend replies, for example `Code 404: Not Found\n`.
std::string reply_for(const std::string& code, const std::string& text);

/// The body of the answer with this reply.
std::string data(const std::string& reply);

} // namespace causeway::guide
