// What the integration tests share: a loop to run on, a backend to connect to, an HTTP client.
//
// A test runs on one event loop in one thread, so the test decides the order of events. Nothing sleeps to wait for
// something: a test awaits it, and `run` fails the test when it does not happen.
#pragma once

#include "net/asio.hpp"
#include "net/host_port.hpp"
#include "upstream/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::test {

using namespace std::chrono_literals;

/// Longer than anything here may take, even with sanitizers on a busy machine.
constexpr auto patience = 20s;

/// How late an answer may be: what a busy machine and a sanitizer need.
constexpr auto scheduling = 1500ms;

/// Runs `io` until `story` has ended, then until nothing is left to do: a test must stop what it started. Throws what
/// `story` throws, and `std::runtime_error` when either takes longer than `patience`.
void run(asio::io_context& io, awaitable<> story);

/// Runs `io` until nothing is left to do. Throws `std::runtime_error` when that takes longer than `patience`.
void finish(asio::io_context& io);

/// Runs one handler, waiting for it until `latest`; false when there was none. How time passes meanwhile depends on
/// the program: see real_time.cpp and virtual_time.cpp.
bool wait_for_something(asio::io_context& io, clock::time_point latest);

/// As when the whole machine stands still: afterwards everything that has come, and each deadline that has passed, is
/// due at the same time. Between two handlers of `io`.
void stand_still(asio::io_context& io, std::chrono::nanoseconds duration);

/// Lets everything that is ready run, until the loop has made a few turns without this coroutine.
awaitable<> settle();

awaitable<> sleep(std::chrono::nanoseconds duration);

/// A descriptor that becomes readable: for the event loop, one more client that has sent something.
class other_client {
public:
    explicit other_client(asio::io_context& io);

    void send();
    awaitable<> has_sent();

private:
    asio::posix::basic_stream_descriptor<executor_type> event_;
};

/// More of them than the kernel reports at a time.
std::list<other_client> many_other_clients(asio::io_context& io);

/// A peer of the backend double: what a test's script reads from and writes to.
class peer {
public:
    explicit peer(tcp_socket connection)
        : socket(std::move(connection))
    {
    }

    /// The next request without its line feed; an empty text at the end of the connection.
    awaitable<std::string> read_code();

    /// The next `count` bytes; an empty text when the connection ends before that.
    awaitable<std::string> read(std::size_t count);

    /// Writes the bytes in one segment.
    awaitable<> write(std::string bytes);

    /// Writes `Code <code>: …` as a code server does.
    awaitable<> reply(std::string_view code);

    /// Ends the connection with a reset instead of a regular close.
    void reset();

    tcp_socket socket;

private:
    std::string take(std::size_t count);

    asio::streambuf input_;
};

std::string reply_line(std::string_view code);

/// A backend that runs a test's script for each connection. Scripts own nothing: they end when the connection does, or
/// with `stop`.
class backend_double {
public:
    using script = std::function<awaitable<>(peer&)>;

    /// Listens on 127.0.0.1; port 0 takes a free one.
    backend_double(asio::io_context& io, script for_each_connection, std::uint16_t port = 0);
    backend_double(const backend_double&) = delete;
    backend_double& operator=(const backend_double&) = delete;

    net::host_port address() const { return {"127.0.0.1", port_}; }
    std::size_t connections() const noexcept { return connections_; }

    /// Stops listening and closes all connections; the port can be used again. The double must live until its
    /// coroutines have ended: as long as the loop runs, or until `end` returns.
    void stop();

    /// Closes all connections, and goes on listening.
    void close_connections();

    /// Stops, and waits until nothing of it is left running.
    awaitable<> end();

private:
    void spawn(awaitable<> coroutine);
    awaitable<> listen();
    awaitable<> serve(tcp_socket socket);

    script script_;
    tcp_acceptor acceptor_;
    std::uint16_t port_;
    std::vector<peer*> peers_;
    std::size_t connections_ = 0;
    std::size_t running_ = 0; // coroutines
};

/// Scripts: answers each code at once; reads and never answers.
awaitable<> answer_all(peer& peer);
awaitable<> answer_nothing(peer& peer);

/// Settings of a pool for tests: short times, one upstream for each address.
upstream::pool_settings settings_for(std::vector<net::host_port> upstreams);

/// The response to an HTTP request.
using http_response = boost::beast::http::response<boost::beast::http::string_body>;

/// A keep-alive HTTP client that sends what a test says, right or wrong.
class http_client {
public:
    explicit http_client(const executor_type& executor)
        : socket(executor)
    {
    }

    awaitable<> connect(tcp::endpoint server);
    awaitable<> send(std::string bytes);

    /// The next response; `head` when it answers a HEAD request and so has no body. Throws when there is none.
    awaitable<http_response> receive(bool head = false);

    /// GETs `target` and returns the response.
    awaitable<http_response> get(std::string target);

    /// POSTs `json` to `/` and returns the response.
    awaitable<http_response> post(std::string json);

    /// True when the server has closed the connection properly, with nothing more to read.
    awaitable<bool> closed();

    tcp_socket socket;

private:
    boost::beast::flat_buffer input_;
};

} // namespace causeway::test
