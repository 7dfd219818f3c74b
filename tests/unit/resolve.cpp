#include "net/host_port.hpp"

#include "net/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <latch>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using namespace causeway;

// Its name server does not answer, until it is told to.
constexpr std::string_view unanswered = "unanswered.test";
std::latch* told = nullptr;

// Its name server does not know it.
constexpr std::string_view unknown = "unknown.test";

// It is in /etc/hosts twice, with the same address.
constexpr std::string_view listed_twice = "twice.test";

} // namespace

// In place of the system's, which it calls for all other names.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found)
{
    if (name != nullptr && name == unanswered) {
        told->wait();
        return EAI_AGAIN;
    }
    if (name != nullptr && name == unknown)
        return EAI_NONAME;
    static const auto the_systems = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    if (name == nullptr || name != listed_twice)
        return the_systems(name, service, hints, found);
    const int first = the_systems("127.0.0.1", service, hints, found);
    return first != 0 ? first : the_systems("127.0.0.1", service, hints, &(*found)->ai_next);
}

namespace {

awaitable<> look_up(net::host_port place, bool& ended)
{
    const auto [error, endpoints] = co_await net::resolve(place);
    BOOST_TEST(error.failed() == endpoints.empty());
    ended = true;
}

} // namespace

BOOST_AUTO_TEST_SUITE(resolve)

BOOST_AUTO_TEST_CASE(a_name_whose_server_does_not_answer_holds_up_no_other)
{
    std::latch told_to_answer(1);
    told = &told_to_answer;
    asio::io_context io;
    bool first = false;
    bool second = false;
    asio::co_spawn(io, look_up({std::string(unanswered), 80}, first), net::rethrow);
    asio::co_spawn(io, look_up({std::string(unknown), 80}, second), net::rethrow);
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (!second && std::chrono::steady_clock::now() < give_up)
        io.run_one_for(1s);
    BOOST_TEST(second);
    BOOST_TEST(!first);
    told_to_answer.count_down();
    io.run();
    BOOST_TEST(first);
}

BOOST_AUTO_TEST_CASE(each_address_of_a_name_is_found_once)
{
    asio::io_context io;
    asio::co_spawn(
        io,
        []() -> awaitable<> {
            const net::host_port place{std::string(listed_twice), 80};
            const auto [error, endpoints] = co_await net::resolve(place);
            BOOST_TEST(!error);
            BOOST_TEST(endpoints.size() == 1U);
        },
        net::rethrow);
    io.run();
}

BOOST_AUTO_TEST_SUITE_END()
