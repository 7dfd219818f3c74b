// Step 6: the connection is lost and made again, with pauses that grow. What was written on a lost connection and has
// no reply yet is written again on the next.
//
//   step_6 LISTEN-PORT BACKEND-PORT [REPLY-TIMEOUT-IN-MS]
#include "backoff.hpp"
#include "codes.hpp"
#include "until_first.hpp"

#include <algorithm>
#include <iostream>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

using namespace guide;

namespace {

// [upstream]
// Asks the backend, on one connection at a time. Lives longer than the coroutines that use it.
struct upstream {
    // The reply for `code`, or nothing when none came in time.
    awaitable<std::optional<std::string>> ask(std::string code);

    // Connects, converses until the connection is lost, pauses, connects again, for ever.
    awaitable<void> run();

    // The two directions of a connection, for as long as it lasts.
    awaitable<void> write(tcp::socket& socket);
    awaitable<void> read(tcp::socket& socket);

    // Gives a reply to the request that has waited longest for its code.
    void deliver(std::string reply);

    // Of the replies for one code. It keeps none: a reply that no request waits for is dropped.
    using reply_channel = asio::experimental::channel<void(error_code, std::string)>;

    tcp::endpoint backend;
    std::chrono::milliseconds reply_timeout;
    wakeup has_requests;                     // of the writer
    std::list<std::string> outbox = {};      // codes that are to be written
    std::list<std::string> on_the_wire = {}; // codes that have been written, and have no reply yet
    std::map<std::string, reply_channel> channels = {};
};
// [/upstream]

// [ask]
awaitable<std::optional<std::string>> upstream::ask(std::string code)
{
    const auto executor = co_await asio::this_coro::executor;
    auto& channel = channels.try_emplace(code, executor).first->second;
    // [enter]
    outbox.push_back(code);
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

// [run]
awaitable<void> upstream::run()
{
    backoff backoff;
    for (;;) {
        tcp::socket socket(co_await asio::this_coro::executor);
        const auto [not_connected] = co_await socket.async_connect(backend, as_result);
        if (!not_connected) {
            co_await until_first(write(socket), read(socket));
            outbox.splice(outbox.begin(), on_the_wire); // to be written again, before what was not written yet
            backoff = {};
        }
        co_await sleep(backoff.next());
    }
}
// [/run]

// [write]
// Sleeps until there is something, then writes all that has gathered in one go.
awaitable<void> upstream::write(tcp::socket& socket)
{
    error_code failed;
    while (!failed) {
        if (outbox.empty()) {
            std::tie(failed) = co_await has_requests.async_receive(as_result);
        } else {
            std::string wire;
            for (const auto& code : outbox)
                wire += code + '\n';
            on_the_wire.splice(on_the_wire.end(), outbox);
            std::tie(failed, std::ignore) = co_await asio::async_write(socket, asio::buffer(wire), as_result);
        }
    }
}
// [/write]

// [read]
// Bytes are not messages: one read can bring half a line, or three. A message is what ends with a line feed.
awaitable<void> upstream::read(tcp::socket& socket)
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
    const auto code = code_of(reply);
    if (!code)
        return;
    if (const auto written = std::ranges::find(on_the_wire, *code); written != on_the_wire.end())
        on_the_wire.erase(written);
    if (channels.contains(*code))
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
    upstream upstream{
        on_this_machine(argv[2]), std::chrono::milliseconds(argc > 3 ? std::stoi(argv[3]) : 2000), {io, 1}};
    std::cout << "listening on http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    asio::co_spawn(io, upstream.run(), rethrow);
    asio::co_spawn(io, serve(acceptor, upstream), rethrow);
    io.run();
}
// [/main]
