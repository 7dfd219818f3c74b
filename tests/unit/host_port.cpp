#include "net/host_port.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <pthread.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace {

namespace net = causeway::net;
using namespace std::string_view_literals;

// While it lives, no thread can be created: none has room for such a stack.
class no_more_threads {
public:
    no_more_threads()
    {
        pthread_getattr_default_np(&before_);
        pthread_attr_t too_large;
        pthread_attr_init(&too_large);
        pthread_attr_setstacksize(&too_large, std::size_t{1} << 50U);
        pthread_setattr_default_np(&too_large);
        pthread_attr_destroy(&too_large);
    }
    ~no_more_threads()
    {
        pthread_setattr_default_np(&before_);
        pthread_attr_destroy(&before_);
    }
    no_more_threads(const no_more_threads&) = delete;
    no_more_threads& operator=(const no_more_threads&) = delete;

private:
    pthread_attr_t before_{};
};

causeway::awaitable<causeway::error_code> error_of_resolving(net::host_port place)
{
    const auto [error, endpoints] = co_await net::resolve(place);
    BOOST_TEST(endpoints.empty() == error.failed());
    co_return error;
}

// What a person writes and the place that it means.
struct example {
    std::string_view text;
    std::string_view host;
    std::uint16_t port;
};

constexpr auto examples = std::to_array<example>({
    {"localhost:80", "localhost", 80},
    {"backend.example.com:9670", "backend.example.com", 9670},
    {"code-server_1:1", "code-server_1", 1},
    {"127.0.0.1:8090", "127.0.0.1", 8090},
    {"0.0.0.0:0", "0.0.0.0", 0},
    {"[::1]:80", "::1", 80},
    {"[::]:65535", "::", 65535},
    {"[2001:db8::c0:de]:443", "2001:db8::c0:de", 443},
    {"[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1", 80},
});

} // namespace

BOOST_AUTO_TEST_SUITE(host_port)

BOOST_AUTO_TEST_CASE(a_name_or_an_address_and_a_port_are_taken_apart)
{
    for (const auto& example : examples) {
        BOOST_TEST_CONTEXT(example.text)
        {
            const auto place = net::parse_host_port(example.text);

            BOOST_TEST_REQUIRE(place.has_value());
            BOOST_TEST(place->host == example.host);
            BOOST_TEST(place->port == example.port);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_place_as_text_is_what_a_person_would_write)
{
    for (const auto& example : examples) {
        const auto text = net::to_string(net::host_port{std::string(example.host), example.port});

        BOOST_TEST(text == example.text);
    }
}

BOOST_AUTO_TEST_CASE(a_place_as_text_stands_for_the_same_place)
{
    for (const auto& example : examples) {
        const net::host_port place{std::string(example.host), example.port};

        const auto again = net::parse_host_port(net::to_string(place));

        BOOST_TEST((again == place), example.text);
    }
}

BOOST_AUTO_TEST_CASE(an_endpoint_as_text_has_brackets_only_around_ipv6)
{
    using causeway::tcp;
    namespace ip = causeway::asio::ip;

    BOOST_TEST(net::to_string(tcp::endpoint(ip::make_address("127.0.0.1"), 8090)) == "127.0.0.1:8090");
    BOOST_TEST(net::to_string(tcp::endpoint(ip::make_address("::1"), 8090)) == "[::1]:8090");
}

BOOST_AUTO_TEST_CASE(a_place_needs_a_port)
{
    for (const auto text : {"localhost", "localhost:", "127.0.0.1", "127.0.0.1:", "[::1]", "[::1]:", "[::1]80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_port_is_a_number_up_to_65535)
{
    BOOST_TEST(net::parse_host_port("localhost:65535").has_value());

    for (const auto text :
         {"localhost:65536", "localhost:99999", "localhost:18446744073709551616", "localhost:-1", "localhost:+80",
          "localhost:http", "localhost:80x", "localhost:x80", "localhost:0x50", "localhost:8.0", "localhost:80/"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_place_needs_a_host)
{
    for (const auto text : {"", ":", ":80", "80", "[]:80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), "'" << text << "'");
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_needs_brackets)
{
    for (const auto text : {"::1:80", "::1", ":::80", "2001:db8::1:80", "a:b:80", "localhost:80:80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(only_an_ipv6_address_stands_in_brackets)
{
    for (const auto text : {"[foo]:1", "[localhost]:80", "[127.0.0.1]:80", "[::g]:80", "[1:2:3]:80", "[::1::2]:80",
                            "[[::1]]:80", "[ ::1]:80", "[::1 ]:80", "[:]:80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(brackets_come_in_pairs_around_the_whole_host)
{
    for (const auto text : {"[::1:80", "::1]:80", "[:80", "]:80", "x[::1]:80", "[::1]x:80", "local[host]:80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(there_is_no_space_in_a_place)
{
    for (const auto text : {" ", " localhost:80", "localhost:80 ", "localhost :80", "localhost: 80", "local host:80",
                            "\tlocalhost:80", "localhost:80\t", "local\thost:80", " [::1]:80", "[::1] :80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), "'" << text << "'");
}

BOOST_AUTO_TEST_CASE(there_is_no_control_character_in_a_place)
{
    for (const auto text : {"local\nhost:80"sv, "localhost\r:80"sv, "\nlocalhost:80"sv, "localhost:80\n"sv,
                            "local\0host:80"sv, "local\x7fhost:80"sv, "local\x1bhost:80"sv, "[::1\0]:80"sv})
        BOOST_TEST(!net::parse_host_port(text).has_value(), "'" << text << "'");
}

BOOST_AUTO_TEST_CASE(that_there_is_no_thread_to_look_a_name_up_is_an_error_like_others)
{
    causeway::asio::io_context io;
    causeway::error_code error;
    const auto resolve = [&] {
        causeway::asio::co_spawn(io, error_of_resolving({"localhost.", 80}),
                                 [&](const std::exception_ptr& thrown, causeway::error_code result) {
                                     BOOST_TEST(!thrown);
                                     error = result;
                                 });
        io.restart();
        io.run();
    };
    {
        const no_more_threads now;
        resolve();
    }
    BOOST_TEST(error == boost::system::errc::resource_unavailable_try_again);
}

// In the settings' file it begins a comment.
BOOST_AUTO_TEST_CASE(a_number_sign_is_in_no_place)
{
    for (const auto text : {"#a:1", "a#b:80", "#:80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_url_is_no_place)
{
    for (const auto text : {"http://localhost:80", "localhost/path:80", "user@localhost:80", "//localhost:80"})
        BOOST_TEST(!net::parse_host_port(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
