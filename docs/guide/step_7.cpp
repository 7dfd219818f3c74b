// Step 7: everything has a bound: the requests that wait, the messages on their way, the time for a reply and for a
// connection. The upstream's side has grown to a file of its own, upstream.hpp; here is the rest.
//
//   step_7 LISTEN-PORT BACKEND-PORT [REPLY-TIMEOUT-IN-MS]
#include "upstream.hpp"

#include <iostream>
#include <string>
#include <utility>

using namespace guide;

namespace {

constexpr auto accept_pause = 10ms;

// [answer]
awaitable<http_response> answer(const http_request& request, upstream& upstream)
{
    const auto code = code_in(std::string(request.target()));
    if (!code)
        co_return respond(request, http::status::bad_request, "error", "statusCode must be three letters or digits");
    const auto reply = co_await upstream.ask(*code);
    if (reply)
        co_return respond(request, http::status::ok, "data", *reply);
    if (reply.error() == failure::overloaded)
        co_return respond(request, http::status::service_unavailable, "error", "overloaded");
    co_return respond(request, http::status::gateway_timeout, "error", "timedout");
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
        else // there may be too many open files: it passes when others close
            co_await sleep(accept_pause);
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
