// Step 3: a timer beside the channel. A client waits no longer than the reply timeout.
//
//   step_3 LISTEN-PORT BACKEND-PORT [REPLY-TIMEOUT-IN-MS]
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using http_request = http::request<http::string_body>;
using http_response = http::response<http::string_body>;

// [results]
// `co_await` gives a tuple with the error code first and throws nothing: a closed connection is an ordinary outcome.
constexpr auto as_result = asio::as_tuple(asio::deferred);

// What a coroutine throws is a mistake of ours. It ends the program instead of vanishing.
void rethrow(std::exception_ptr thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}
// [/results]

// [protocol]
// The code that a client asks for.
std::optional<std::string> code_in(const std::string& target)
{
    static const std::regex form("/\\?statusCode=([0-9A-Za-z]{3})");
    std::smatch found;
    return std::regex_match(target, found, form) ? std::optional(found[1].str()) : std::nullopt;
}

// The code that a reply is for: `Code 404: Not Found, …`, or `I dont know about code "xyz" …`.
std::optional<std::string> code_of(const std::string& reply)
{
    static const std::regex form("[Cc]ode \"?([0-9A-Za-z]{3})");
    std::smatch found;
    return std::regex_search(reply, found, form) ? std::optional(found[1].str()) : std::nullopt;
}

// An answer with a JSON object of one member.
http_response respond(const http_request& request, http::status status, std::string_view name, std::string_view value)
{
    http_response response(status, request.version());
    response.set(http::field::content_type, "application/json");
    response.keep_alive(request.keep_alive());
    response.body() = boost::json::serialize(boost::json::object{{name, value}});
    response.prepare_payload();
    return response;
}
// [/protocol]

// [upstream]
// Asks the backend, on a connection for each request. Lives longer than the coroutines that use it.
struct upstream {
    // The reply for `code`, or nothing when none came in time.
    awaitable<std::optional<std::string>> ask(std::string code);

    // Writes the code, reads what comes, and gives it to the request that has waited longest for its code.
    awaitable<void> fetch(std::string code);

    // Of the replies for one code. It keeps none: a reply that no request waits for is dropped.
    using reply_channel = asio::experimental::channel<void(error_code, std::string)>;

    tcp::endpoint backend;
    std::chrono::milliseconds reply_timeout;
    std::map<std::string, reply_channel> channels = {};
};
// [/upstream]

// [ask]
awaitable<std::optional<std::string>> upstream::ask(std::string code)
{
    const auto executor = co_await asio::this_coro::executor;
    auto& channel = channels.try_emplace(code, executor).first->second;
    asio::co_spawn(executor, fetch(code), rethrow);

    // [timer]
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer deadline(executor, reply_timeout);
    auto first = co_await (channel.async_receive(asio::use_awaitable) || deadline.async_wait(asio::use_awaitable));
    if (auto* reply = std::get_if<std::string>(&first))
        co_return std::move(*reply);
    co_return std::nullopt;
    // [/timer]
}
// [/ask]

// [fetch]
awaitable<void> upstream::fetch(std::string code)
{
    tcp::socket socket(co_await asio::this_coro::executor);
    const auto [not_connected] = co_await socket.async_connect(backend, as_result);
    if (not_connected)
        co_return;
    code += '\n';
    const auto [not_written, written] = co_await asio::async_write(socket, asio::buffer(code), as_result);
    if (not_written)
        co_return;
    std::array<char, 4096> buffer;
    const auto [not_read, count] = co_await socket.async_read_some(asio::buffer(buffer), as_result);
    if (not_read)
        co_return;
    std::string reply(buffer.data(), count);
    if (const auto replied_to = code_of(reply); replied_to && channels.contains(*replied_to))
        channels.at(*replied_to).try_send(error_code(), std::move(reply));
}
// [/fetch]

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

tcp::endpoint on_this_machine(const std::string& port)
{
    return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port))};
}

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
    const std::chrono::milliseconds reply_timeout(argc > 3 ? std::stoi(argv[3]) : 2000);
    upstream upstream{on_this_machine(argv[2]), reply_timeout};
    std::cout << "listening on http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    asio::co_spawn(io, serve(acceptor, upstream), rethrow);
    io.run();
}
// [/main]
