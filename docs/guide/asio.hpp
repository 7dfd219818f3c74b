// The names of Asio and Beast that the steps use from the fifth on.
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstdint>
#include <string>

namespace guide {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using http_request = http::request<http::string_body>;
using http_response = http::response<http::string_body>;

// `co_await` gives a tuple with the error code first and throws nothing: a closed connection is an ordinary outcome.
inline constexpr auto as_result = asio::as_tuple(asio::deferred);

// [wakeup]
// Says nothing but that there is something to do, to one coroutine that sleeps until then. It keeps one notice, which
// ends the next wait.
using wakeup = asio::experimental::channel<void(error_code)>;
// [/wakeup]

inline tcp::endpoint on_this_machine(const std::string& port)
{
    return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port))};
}

} // namespace guide
