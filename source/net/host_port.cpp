#include "net/host_port.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <charconv>

namespace causeway::net {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return port;
}

// Looks up one name. `getaddrinfo` blocks, and Asio looks up the names of an execution context one after the other: one
// that gets no answer would hold up all others, so each has a context of its own.
struct name_look_up {
    asio::thread_pool context{1};
    asio::ip::basic_resolver<tcp, asio::thread_pool::executor_type> resolver{context.get_executor()};
};

// For its first name a context starts a thread. If no thread can be created Asio throws, and from within a `co_await`
// that could not be caught; so the first name is one that needs no look-up.
error_code start(std::optional<name_look_up>& look_up)
try {
    using resolver = tcp_resolver;
    look_up.emplace();
    look_up->resolver.async_resolve("127.0.0.1", "0", resolver::numeric_host | resolver::numeric_service,
                                    [](const error_code&, const resolver::results_type&) {});
    return {};
} catch (const boost::system::system_error& no_thread) {
    return no_thread.code();
}

bool is_ipv6(std::string_view host)
{
    error_code error;
    asio::ip::make_address_v6(std::string(host), error);
    return !error && host.find('\0') == std::string_view::npos;
}

bool may_be_in_a_name(unsigned char c)
{
    return c > ' ' && c != 0x7f && std::string_view(":[]/@#").find(static_cast<char>(c)) == std::string_view::npos;
}

} // namespace

std::optional<host_port> parse_host_port(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
        return std::nullopt;
    const auto port = parse_port(text.substr(colon + 1));
    if (!port)
        return std::nullopt;

    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (!is_ipv6(host))
            return std::nullopt;
    } else if (!std::ranges::all_of(host, may_be_in_a_name)) {
        return std::nullopt;
    }
    return host_port{std::string(host), *port};
}

std::string to_string(const host_port& place)
{
    const auto port = std::to_string(place.port);
    return place.host.find(':') == std::string::npos ? place.host + ':' + port : '[' + place.host + "]:" + port;
}

std::string to_string(const tcp::endpoint& place)
{
    return to_string(host_port{place.address().to_string(), place.port()});
}

awaitable<std::tuple<error_code, std::vector<tcp::endpoint>>> resolve(const host_port& place)
{
    std::vector<tcp::endpoint> endpoints;
    error_code not_an_address;
    const auto address = asio::ip::make_address(place.host, not_an_address);
    if (!not_an_address) {
        endpoints.emplace_back(address, place.port);
        co_return std::tuple(error_code{}, std::move(endpoints));
    }

    std::optional<name_look_up> look_up;
    if (const auto no_thread = start(look_up))
        co_return std::tuple(no_thread, std::move(endpoints));
    const auto [error, found] =
        co_await look_up->resolver.async_resolve(place.host, std::to_string(place.port), as_result);
    for (const auto& entry : found)
        if (std::ranges::find(endpoints, entry.endpoint()) == endpoints.end())
            endpoints.push_back(entry.endpoint());
    co_return std::tuple(error, std::move(endpoints));
}

} // namespace causeway::net
