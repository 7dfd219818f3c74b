// Step 5: one connection carries all requests. A writer sends the codes that have gathered; a reader finds the lines in
// what comes, and gives each to whoever has waited longest for its code.
//
//   step_5 LISTEN-PORT BACKEND-PORT [REPLY-TIMEOUT-IN-MS]
#include "codes.hpp"

#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

using namespace guide;

namespace {

// What a coroutine throws is a mistake of ours. It ends the program instead of vanishing.
void rethrow(std::exception_ptr thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}

// [upstream]
// Asks the backend, on one connection. Lives longer than the coroutines that use it.
struct upstream {
    // The reply for `code`, or nothing when none came in time.
    awaitable<std::optional<std::string>> ask(std::string code);

    // The two directions of the connection, for as long as it lasts.
    awaitable<void> write();
    awaitable<void> read();

    // Gives a reply to the request that has waited longest for its code.
    void deliver(std::string reply);

    // Of the replies for one code. It keeps none: a reply that no request waits for is dropped.
    using reply_channel = asio::experimental::channel<void(error_code, std::string)>;

    tcp::socket socket;
    std::chrono::milliseconds reply_timeout;
    std::string outbox = {}; // what is to be written
    wakeup has_requests{socket.get_executor(), 1};
    std::map<std::string, reply_channel> channels = {};
};
// [/upstream]

// [ask]
awaitable<std::optional<std::string>> upstream::ask(std::string code)
{
    const auto executor = co_await asio::this_coro::executor;
    auto& channel = channels.try_emplace(code, executor).first->second;
    // [enter]
    outbox += code + '\n';
    has_requests.try_send(error_code());
    // [/enter]

    // [race]
    // The order in which the two ended is not looked at: when both did, the reply is there although it was second.
    asio::steady_timer deadline(executor, reply_timeout);
    auto [order, error, reply, expiry] = co_await asio::experimental::make_parallel_group(
                                             channel.async_receive(asio::deferred), deadline.async_wait(asio::deferred))
                                             .async_wait(asio::experimental::wait_for_one(), asio::deferred);
    if (error)
        co_return std::nullopt;
    co_return std::move(reply);
    // [/race]
}
// [/ask]

// [write]
// Sleeps until there is something, then writes all that has gathered in one go.
awaitable<void> upstream::write()
{
    error_code failed;
    while (!failed) {
        if (outbox.empty()) {
            std::tie(failed) = co_await has_requests.async_receive(as_result);
        } else {
            const auto wire = std::exchange(outbox, {});
            std::tie(failed, std::ignore) = co_await asio::async_write(socket, asio::buffer(wire), as_result);
        }
    }
}
// [/write]

// [read]
// Bytes are not messages: one read can bring half a line, or three. A message is what ends with a line feed.
awaitable<void> upstream::read()
{
    std::string input;
    for (;;) {
        const auto [failed, length] =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(input), '\n', as_result);
        if (failed)
            co_return;
        deliver(input.substr(0, length));
        input.erase(0, length);
    }
}
// [/read]

// [deliver]
void upstream::deliver(std::string reply)
{
    if (const auto code = code_of(reply); code && channels.contains(*code))
        channels.at(*code).try_send(error_code(), std::move(reply));
}
// [/deliver]

// [answer]
awaitable<http_response> answer(const http_request& request, upstream& upstream)
{
    const auto code = code_in(std::string(request.target()));
    if (!code)
        co_return respond(request, http::status::bad_request, "error", "statusCode must be three letters or digits");
    const auto reply = co_await upstream.ask(*code);
    if (!reply)
        co_return respond(request, http::status::gateway_timeout, "error", "timedout");
    co_return respond(request, http::status::ok, "data", *reply);
}
// [/answer]

// [session]
// One client, as long as its connection lasts.
awaitable<void> session(tcp::socket client, upstream& upstream)
{
    boost::beast::flat_buffer buffer;
    for (bool stays_open = true; stays_open;) {
        http_request request;
        const auto [not_read, received] = co_await http::async_read(client, buffer, request, as_result);
        if (not_read)
            co_return;
        const auto response = co_await answer(request, upstream);
        const auto [not_written, sent] = co_await http::async_write(client, response, as_result);
        stays_open = !not_written && response.keep_alive();
    }
}
// [/session]

// [serve]
awaitable<void> serve(tcp::acceptor& acceptor, upstream& upstream)
{
    for (;;) {
        auto [error, client] = co_await acceptor.async_accept(as_result);
        if (!error)
            asio::co_spawn(acceptor.get_executor(), session(std::move(client), upstream), rethrow);
    }
}
// [/serve]

} // namespace

// [main]
int main(int argc, char* argv[])
{
    if (argc < 3) {
        std::cerr << "usage: " << argv[0] << " LISTEN-PORT BACKEND-PORT [REPLY-TIMEOUT-IN-MS]\n";
        return 2;
    }
    asio::io_context io(1);
    tcp::acceptor acceptor(io, on_this_machine(argv[1]));
    tcp::socket socket(io);
    socket.connect(on_this_machine(argv[2]));
    upstream upstream{std::move(socket), std::chrono::milliseconds(argc > 3 ? std::stoi(argv[3]) : 2000)};
    std::cout << "listening on http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    asio::co_spawn(io, upstream.write(), rethrow);
    asio::co_spawn(io, upstream.read(), rethrow);
    asio::co_spawn(io, serve(acceptor, upstream), rethrow);
    io.run();
}
// [/main]
