#include "service/ask_over_http.hpp"

#include "net/host_port.hpp"
#include "net/until_first.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <utility>

namespace causeway::service {
namespace {

namespace http = boost::beast::http;

using result = boost::system::result<http_answer>;

http::request<http::empty_body> request_for(const tcp::endpoint& place, const std::string& target,
                                            const std::string& id)
{
    http::request<http::empty_body> request(http::verb::get, target, 11);
    request.set(http::field::host, net::to_string(place));
    request.set("X-Request-Id", id);
    request.keep_alive(false);
    return request;
}

awaitable<> ask(tcp::endpoint place, const http::request<http::empty_body>& request, result& outcome)
{
    tcp_socket socket(co_await asio::this_coro::executor);
    auto [failed] = co_await socket.async_connect(place, as_result);
    if (failed)
        co_return void(outcome = failed);
    auto [not_sent, sent] = co_await http::async_write(socket, request, as_result);
    if (not_sent)
        co_return void(outcome = not_sent);
    boost::beast::flat_buffer input;
    http::response<http::string_body> response;
    auto [not_read, read] = co_await http::async_read(socket, input, response, as_result);
    if (not_read)
        co_return void(outcome = not_read);
    outcome = http_answer{response.result_int(), std::move(response.body())};
}

awaitable<> wait(steady_timer& deadline) { co_await deadline.async_wait(as_result); }

} // namespace

awaitable<result> ask_over_http(tcp::endpoint place, std::string target, std::string id, steady_timer& deadline)
{
    const auto request = request_for(place, target, id);
    result outcome = error_code(asio::error::timed_out);
    const auto first = co_await net::until_first(ask(place, request, outcome), wait(deadline));
    if (first != 0)
        co_return error_code(asio::error::timed_out);
    co_return outcome;
}

} // namespace causeway::service
